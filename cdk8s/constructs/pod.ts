/** The parts of a pod that do not depend on its purpose: what the values set for all pods, and for those of its kind. */
import type { k8s } from 'cdk8s-plus-27'
import type { PodOfKind, PodValues } from '../chart-values/pod-fields.ts'
import {
  appended,
  choose,
  empty,
  entryOf,
  merged,
  type Operand,
  orElse,
  references,
  replaced,
} from '../values/compute.ts'
import type { Templated } from '../values/kube-object.ts'
import type { Value } from '../values/value.ts'
import { when } from '../values/when.ts'
import { given } from './given.ts'

type TextMap = Readonly<Record<string, string>>
type Maps = Value<TextMap> | Readonly<Record<string, Operand<string>>>

/** What a construct asks of its pods itself. */
export type OwnPod = {
  readonly labels: Maps
  /** @default none */
  readonly annotations?: Maps
  /** Wins over any other, unless it is empty. @default what the values ask, else that of the namespace */
  readonly serviceAccountName?: Value<string>
  /** @default none but what the values ask */
  readonly nodeSelector?: Value<TextMap>
  /** @default none but what the values ask */
  readonly tolerations?: Value<readonly k8s.Toleration[]>
  /** Applies together with what the values ask. @default only what the values ask */
  readonly affinity?: Value<Readonly<Record<string, unknown>>> | Readonly<Record<string, unknown>>
  /** Unless the values ask for another. @default none */
  readonly topologySpreadConstraints?: readonly Templated<k8s.TopologySpreadConstraint>[]
}

export type Pod = ReturnType<typeof pod>

/** @param ofKind the values of pods of this kind */
export function pod(values: PodValues, ofKind: Value<PodOfKind>, own: OwnPod) {
  const { pods } = values
  const textOf = (name: 'serviceAccountName' | 'priorityClassName') =>
    orElse<string>(entryOf(ofKind, name, 'text'), pods[name])
  const mapOf = (name: 'labels' | 'annotations' | 'nodeSelector') =>
    orElse<TextMap>(entryOf(ofKind, name, 'data'), {} as TextMap)
  const listOf = (name: 'tolerations' | 'extraEnv' | 'extraEnvFrom') =>
    orElse<readonly never[]>(entryOf(ofKind, name, 'data'), [])
  const asIs = textOf('serviceAccountName')
  const serviceAccountName = own.serviceAccountName === undefined ? asIs : orElse<string>(own.serviceAccountName, asIs)
  const priorityClassName = textOf('priorityClassName')
  // Kubernetes looks into them, not the types here.
  const asked: Value<never> = orElse(entryOf(ofKind, 'affinity', 'data'), pods.affinity as Value<never>)
  const affinity: Value<never> =
    own.affinity === undefined ? asked : (merged(asked, own.affinity as never) as Value<never>)
  const spread: Value<never> = orElse(
    entryOf(ofKind, 'topologySpreadConstraints', 'data'),
    pods.topologySpreadConstraints as Value<never>,
  )
  const envFrom = appended(pods.extraEnvFrom, listOf('extraEnvFrom'))
  return {
    labels: merged(values.podLabels, pods.labels, mapOf('labels'), own.labels),
    annotations: merged(pods.annotations, mapOf('annotations'), own.annotations ?? {}),
    spec: {
      imagePullSecrets: pullSecrets(values),
      serviceAccountName: when(given(serviceAccountName), serviceAccountName),
      priorityClassName: when(given(priorityClassName), priorityClassName),
      nodeSelector: merged(pods.nodeSelector, mapOf('nodeSelector'), own.nodeSelector ?? {}),
      tolerations: appended(pods.tolerations, listOf('tolerations'), own.tolerations ?? []),
      affinity: when(given(affinity), affinity),
      topologySpreadConstraints: when(given(spread), spread, own.topologySpreadConstraints),
    },
    /** Of every container. */
    container: {
      env: appended<k8s.EnvVar>(pods.extraEnv, listOf('extraEnv')),
      envFrom: when(given(envFrom), envFrom),
    },
  }
}

const pullSecrets = ({ global, imagePullSecrets }: PodValues): Value<readonly k8s.LocalObjectReference[]> =>
  appended(references(global.imagePullSecrets), imagePullSecrets)

/** `docker.io/`, `quay.io/`, `localhost:5000/`: a first part with a dot or a port. */
const REGISTRY = '^[^/]*[.:][^/]*/'

/** An image, from the registry that an umbrella chart names for all. */
export function imageOf({ global }: PodValues, image: Value<string>): Value<string> {
  const elsewhere = `${global.imageRegistry}/${replaced(image, REGISTRY, '')}`
  return choose<string>(empty(global.imageRegistry), image as Operand<string>, elsewhere)
}
