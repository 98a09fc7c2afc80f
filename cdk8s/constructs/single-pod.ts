import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import { greater } from '../values/compute.ts'
import { kubeObject, type Templated } from '../values/kube-object.ts'
import type { Value } from '../values/value.ts'
import { when } from '../values/when.ts'
import type { Component } from './component.ts'
import { RESTRICTED_CONTAINER, restrictedPod } from './restricted.ts'

type Labels = { readonly [name: string]: string }

export type SinglePodProps = {
  readonly component: Component
  readonly values: {
    readonly imagePullPolicy: Value<string>
    readonly imagePullSecrets: Value<readonly k8s.LocalObjectReference[]>
  }
  readonly user: number | Value<number>
  /** Of the pod and of its Service, with the name by which probes know it: `http`, if nothing else is said. */
  readonly port: number
  readonly portName?: string
  /** The container, but for what every one of ours has. */
  readonly container: Templated<Partial<k8s.Container>>
  readonly volumes?: readonly Templated<k8s.Volume>[]
  /** Run before it, in order. */
  readonly initContainers?: Templated<readonly k8s.Container[]>
  /** Without one it has no token. */
  readonly serviceAccount?: Templated<Pick<k8s.PodSpec, 'serviceAccountName' | 'automountServiceAccountToken'>>
  /** Of the pod; those of its component, if nothing else is said. */
  readonly labels?: Templated<Labels>
  readonly annotations?: Templated<Labels>
  readonly service?: { readonly type: Value<string>; readonly nodePort: Value<number> }
  /** The Service leads to the pod also while that is not ready. */
  readonly publishNotReady?: boolean
  /** A volume of its own, mounted where the container says; without one it forgets. */
  readonly claim?: Templated<k8s.KubePersistentVolumeClaimProps>
  /** Until a pod that was told to stop is killed: 30, if nothing else is said. */
  readonly graceSeconds?: number
}

/** A program that runs once, as a StatefulSet, so that two never write to one volume, and the Service that leads to it. */
export class SinglePod extends Construct {
  constructor(scope: Construct, id: string, props: SinglePodProps) {
    super(scope, id)
    const { values, port, portName = 'http', service, publishNotReady, annotations, claim, graceSeconds } = props
    const { name, selector, labels } = props.component
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
          metadata: { labels: props.labels ?? labels, ...(annotations === undefined ? {} : { annotations }) },
          spec: {
            ...restrictedPod(props.user),
            ...props.serviceAccount,
            imagePullSecrets: values.imagePullSecrets,
            ...(graceSeconds === undefined ? {} : { terminationGracePeriodSeconds: graceSeconds }),
            ...(props.initContainers === undefined ? {} : { initContainers: props.initContainers }),
            containers: [
              {
                ...RESTRICTED_CONTAINER,
                name: 'main',
                imagePullPolicy: values.imagePullPolicy,
                ports: [{ name: portName, containerPort: port }],
                ...(props.container as object),
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
