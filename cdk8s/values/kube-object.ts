import { ApiObject } from 'cdk8s'
import type { k8s } from 'cdk8s-plus-27'
import type { Construct } from 'constructs'
import { spreadable } from './spread.ts'
import type { Value } from './value.ts'
import type { Each, When } from './when.ts'

/**
 * What may stand where a manifest has a `T`: itself, a value, or either of two on a condition. Amounts and ports are
 * written as Kubernetes writes them, `'500m'` and `8080`, and so are names: `clusterIP`, not cdk8s' `clusterIp`.
 */
export type Templated<T> = Whole<T> | When<Whole<T> | When<Whole<T>>>
type Whole<T> = Value<Plain<T>> | Parts<T>
type Parts<T> =
  T extends AnyAmount<T>
    ? string | number
    : T extends readonly (infer E)[]
      ? readonly (Templated<E> | Each<E>)[]
      : T extends object
        ? { readonly [K in keyof T as Spelled<K>]: Templated<T[K]> }
        : T
type Plain<T> =
  T extends AnyAmount<T>
    ? string | number
    : T extends readonly (infer E)[]
      ? readonly Plain<E>[]
      : T extends object
        ? { readonly [K in keyof T as Spelled<K>]: Plain<T[K]> }
        : T

/** What cdk8s spells in its own way, as Kubernetes does. */
type Spelled<K> = K extends keyof Spelling ? Spelling[K] : K
type Spelling = {
  readonly clientIp: 'clientIP'
  readonly clusterIp: 'clusterIP'
  readonly downwardApi: 'downwardAPI'
  readonly externalId: 'externalID'
  readonly hostIp: 'hostIP'
  readonly hostIpc: 'hostIPC'
  readonly hostPid: 'hostPID'
  readonly loadBalancerIp: 'loadBalancerIP'
  readonly nonResourceUrLs: 'nonResourceURLs'
  readonly setHostnameAsFqdn: 'setHostnameAsFQDN'
  readonly targetCpuUtilizationPercentage: 'targetCPUUtilizationPercentage'
  readonly volumeId: 'volumeID'
}

/** Told apart from what else has a `value` by having nothing more. */
type AnyAmount<T> = k8s.Quantity extends T ? k8s.Quantity : never

/** One of the classes of `k8s`, such as `k8s.KubeDeployment`: it has the type of the manifest, and its version and kind. */
type KubeClass<P> = {
  new (scope: Construct, id: string, props: P): ApiObject
  readonly GVK: { readonly apiVersion: string; readonly kind: string }
}

/** A Kubernetes object whose manifest may have values in it; its type is checked as far as they let it be. */
export function kubeObject<P>(scope: Construct, id: string, kind: KubeClass<P>, manifest: Templated<P>): ApiObject {
  return customObject(scope, id, { ...kind.GVK, ...(manifest as { readonly metadata?: Metadata }) })
}

type Metadata = { readonly [key: string]: unknown }

/** The same for what cdk8s has no class for, such as a ServiceMonitor. */
export function customObject(
  scope: Construct,
  id: string,
  manifest: {
    readonly apiVersion: string
    readonly kind: string
    readonly metadata?: Metadata
    readonly [key: string]: unknown
  },
): ApiObject {
  const { labels, annotations, ...metadata } = manifest.metadata ?? {}
  return new ApiObject(scope, id, {
    ...manifest,
    metadata: { ...metadata, labels: spreadable(labels), annotations: spreadable(annotations) } as never,
  })
}
