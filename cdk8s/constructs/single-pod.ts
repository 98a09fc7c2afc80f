import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import type { PodOfKind, PodValues } from '../chart-values/pod-fields.ts'
import { greater } from '../values/compute.ts'
import { kubeObject, type Templated } from '../values/kube-object.ts'
import type { Value } from '../values/value.ts'
import { each, when } from '../values/when.ts'
import type { Component } from './component.ts'
import { type OwnPod, pod } from './pod.ts'
import { RESTRICTED_CONTAINER, restrictedPod } from './restricted.ts'

/** Its environment is a list, for more to follow it. */
type ContainerParts = {
  readonly [K in keyof k8s.Container]?: K extends 'env' ? readonly Templated<k8s.EnvVar>[] : Templated<k8s.Container[K]>
}

export type SinglePodProps = {
  readonly component: Component
  readonly values: PodValues
  /** What the values ask of pods of this kind. */
  readonly ofKind: Value<PodOfKind>
  readonly user: number | Value<number>
  /** Of the pod and of its Service. */
  readonly port: number
  /** The name by which probes know the port. @default `http` */
  readonly portName?: string
  /** The container, but for what every one of ours has. */
  readonly container: ContainerParts
  /** @default none */
  readonly volumes?: readonly Templated<k8s.Volume>[]
  /** Run before it, in order. @default none */
  readonly initContainers?: Templated<readonly k8s.Container[]>
  /** Whose token it has. An empty name is none. @default none */
  readonly serviceAccount?: { readonly name: Value<string>; readonly automount: true | Value<boolean> }
  /** Of the pod. @default none */
  readonly annotations?: OwnPod['annotations']
  /** @default a ClusterIP */
  readonly service?: { readonly type: Value<string>; readonly nodePort: Value<number> }
  /** The Service leads to the pod also while that is not ready. @default false */
  readonly publishNotReady?: boolean
  /** A volume of its own, mounted where the container says. @default none: what it has is lost with the pod */
  readonly claim?: Templated<k8s.KubePersistentVolumeClaimProps>
  /** Seconds until a pod that was told to stop is killed. @default 30 */
  readonly graceSeconds?: number
}

/** A program that runs once, as a StatefulSet, so that two never write to one volume, and the Service that leads to it. */
export class SinglePod extends Construct {
  constructor(scope: Construct, id: string, props: SinglePodProps) {
    super(scope, id)
    const {
      values,
      port,
      portName = 'http',
      service,
      publishNotReady,
      annotations,
      claim,
      graceSeconds,
      serviceAccount,
    } = props
    const {
      container: { env, ...container },
      initContainers,
    } = props
    const { name, selector, labels } = props.component
    const own = pod(values, props.ofKind, {
      labels,
      ...(annotations === undefined ? {} : { annotations }),
      ...(serviceAccount === undefined ? {} : { serviceAccountName: serviceAccount.name }),
    })
    kubeObject(this, 'service', k8s.KubeService, {
      metadata: { name, labels },
      spec: {
        ...(service === undefined ? {} : { type: service.type }),
        ...(publishNotReady === undefined ? {} : { publishNotReadyAddresses: publishNotReady }),
        selector,
        ports: [
          {
            name: portName,
            port,
            targetPort: portName,
            ...(service === undefined ? {} : { nodePort: when(greater(service.nodePort, 0), service.nodePort) }),
          },
        ],
      },
    })
    kubeObject(this, 'stateful-set', k8s.KubeStatefulSet, {
      metadata: { name, labels },
      spec: {
        serviceName: name,
        replicas: 1,
        selector: { matchLabels: selector },
        template: {
          metadata: { labels: own.labels, annotations: own.annotations },
          spec: {
            ...restrictedPod(props.user),
            ...(serviceAccount === undefined ? {} : { automountServiceAccountToken: serviceAccount.automount }),
            ...own.spec,
            ...(graceSeconds === undefined ? {} : { terminationGracePeriodSeconds: graceSeconds }),
            ...(initContainers === undefined ? {} : { initContainers }),
            containers: [
              {
                ...RESTRICTED_CONTAINER,
                name: 'main',
                imagePullPolicy: values.imagePullPolicy,
                ports: [{ name: portName, containerPort: port }],
                ...container,
                env: env === undefined ? (own.container.env as Value<never>) : [...env, each(own.container.env)],
                envFrom: own.container.envFrom,
              },
            ],
            volumes: props.volumes ?? [],
          },
        },
        ...(claim === undefined ? {} : { volumeClaimTemplates: [claim] }),
      },
    })
  }
}
