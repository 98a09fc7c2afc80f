import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import type { MonitoringValues } from '../../charts/monitoring-values.ts'
import { greater } from '../../values/compute.ts'
import { kubeObject, type Templated } from '../../values/kube-object.ts'
import type { Value } from '../../values/value.ts'
import { when } from '../../values/when.ts'
import type { Component } from '../component.ts'
import { RESTRICTED_CONTAINER, restrictedPod } from '../restricted.ts'

export type SinglePodProps = {
  readonly component: Component
  readonly values: MonitoringValues
  readonly user: number
  readonly port: number
  /** The container, but for what every one of ours has. */
  readonly container: Templated<Partial<k8s.Container>>
  readonly volumes?: readonly Templated<k8s.Volume>[]
  readonly annotations?: Templated<{ readonly [name: string]: string }>
  readonly service?: { readonly type: Value<string>; readonly nodePort: Value<number> }
  /** A volume of its own, mounted where the container says; without one it forgets. */
  readonly claim?: Templated<k8s.KubePersistentVolumeClaimProps>
}

/** A program that runs once, as a StatefulSet, so that two never write to one volume, and the Service that leads to it. */
export class SinglePod extends Construct {
  constructor(scope: Construct, id: string, props: SinglePodProps) {
    super(scope, id)
    const { values, port, service } = props
    const { name, selector, labels } = props.component
    kubeObject(this, 'service', k8s.KubeService, {
      metadata: { name, labels },
      spec: {
        ...(service === undefined ? {} : { type: service.type }),
        selector,
        ports: [
          {
            name: 'http',
            port,
            targetPort: 'http',
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
          metadata: { labels, ...(props.annotations === undefined ? {} : { annotations: props.annotations }) },
          spec: {
            ...restrictedPod(props.user),
            imagePullSecrets: values.imagePullSecrets,
            containers: [
              {
                ...RESTRICTED_CONTAINER,
                name: 'main',
                imagePullPolicy: values.imagePullPolicy,
                ports: [{ name: 'http', containerPort: port }],
                ...(props.container as object),
              },
            ],
            volumes: props.volumes ?? [],
          },
        },
        ...(props.claim === undefined ? {} : { volumeClaimTemplates: [props.claim] }),
      },
    })
  }
}
