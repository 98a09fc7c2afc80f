import type { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import type { HopwhistleValues } from '../chart-values/hopwhistle-values.ts'
import type { Templated } from '../values/kube-object.ts'
import { toExpression, Value } from '../values/value.ts'
import { each } from '../values/when.ts'
import { authorities } from './authorities.ts'
import type { Component } from './component.ts'
import { job } from './job.ts'
import { imageOf, type Pod, pod } from './pod.ts'
import { API_USER, RESTRICTED_CONTAINER, restrictedPod, scratch } from './restricted.ts'
import type { Scripts } from './scripts.ts'

const KEEP_SECONDS = 86_400

export type ApiJobProps = {
  readonly component: Component
  readonly values: HopwhistleValues
  /** The values of this command. */
  readonly of: Pick<HopwhistleValues['migrations'], 'resources' | 'pod'>
  readonly command: Templated<readonly string[]>
  readonly env: readonly Templated<k8s.EnvVar>[]
  /** Run before it, in order. @default none */
  readonly initContainers?: (own: Pod) => readonly Templated<k8s.Container>[]
  /** @default none */
  readonly scripts?: Scripts
  /** Whose token it has. @default none */
  readonly serviceAccount?: string
}

/** A command in the API's image, run to its end at every installation, upgrade and rollback. */
export class ApiJob extends Construct {
  constructor(scope: Construct, id: string, props: ApiJobProps) {
    super(scope, id)
    const { component, values, of, command, env, initContainers, scripts, serviceAccount } = props
    const own = pod(values, of.pod, {
      labels: component.labels,
      ...(scripts === undefined ? {} : { annotations: { 'checksum/scripts': scripts.checksum } }),
      ...(serviceAccount === undefined ? {} : { serviceAccountName: new Value<string>(toExpression(serviceAccount)) }),
    })
    const temporary = scratch('tmp', '/tmp', '64Mi')
    const trusted = authorities(values)
    job(this, 'job', component, {
      backoffLimit: 10,
      ttlSecondsAfterFinished: KEEP_SECONDS,
      template: {
        metadata: { labels: own.labels, annotations: own.annotations },
        spec: {
          ...restrictedPod(API_USER),
          automountServiceAccountToken: serviceAccount !== undefined,
          ...own.spec,
          restartPolicy: 'OnFailure',
          initContainers: initContainers?.(own) ?? [],
          containers: [
            {
              ...RESTRICTED_CONTAINER,
              name: 'command',
              image: imageOf(values, values.api.image),
              imagePullPolicy: values.imagePullPolicy,
              // Not its `command`: the image's own entrypoint forbids core dumps.
              args: command,
              env: [...env, each(own.container.env)],
              envFrom: own.container.envFrom,
              volumeMounts: [temporary.mount, ...trusted.mounts, ...(scripts === undefined ? [] : [scripts.mount])],
              resources: of.resources,
            },
          ],
          volumes: [temporary.volume, ...trusted.volumes, ...(scripts === undefined ? [] : [scripts.volume])],
        },
      },
    })
  }
}
