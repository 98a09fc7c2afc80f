import type { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import type { HopwhistleValues } from '../charts/hopwhistle-values.ts'
import type { Templated } from '../values/kube-object.ts'
import { each } from '../values/when.ts'
import { API_USER } from './api.ts'
import { authorities } from './authorities.ts'
import type { Component } from './component.ts'
import { job } from './job.ts'
import { imageOf, type Pod, pod } from './pod.ts'
import { RESTRICTED_CONTAINER, restrictedPod, scratch } from './restricted.ts'

const KEEP_SECONDS = 86_400

export type ApiJobProps = {
  readonly component: Component
  readonly values: HopwhistleValues
  /** The values of this command. */
  readonly of: HopwhistleValues['migrations' | 'demo']
  readonly command: Templated<readonly string[]>
  readonly env: readonly Templated<k8s.EnvVar>[]
  /** Run before it, in order. */
  readonly initContainers?: (own: Pod) => readonly Templated<k8s.Container>[]
}

/** A command of the API, run to its end at every installation, upgrade and rollback. */
export class ApiJob extends Construct {
  constructor(scope: Construct, id: string, { component, values, of, command, env, initContainers }: ApiJobProps) {
    super(scope, id)
    const own = pod(values, of.pod, { labels: component.labels })
    const temporary = scratch('tmp', '/tmp', '64Mi')
    const trusted = authorities(values)
    job(this, 'job', component, {
      backoffLimit: 10,
      ttlSecondsAfterFinished: KEEP_SECONDS,
      template: {
        metadata: { labels: own.labels, annotations: own.annotations },
        spec: {
          ...restrictedPod(API_USER),
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
              volumeMounts: [temporary.mount, ...trusted.mounts],
              resources: of.resources,
            },
          ],
          volumes: [temporary.volume, ...trusted.volumes],
        },
      },
    })
  }
}
