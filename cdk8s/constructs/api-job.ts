import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import type { HopwhistleValues } from '../charts/hopwhistle-values.ts'
import { merged } from '../values/compute.ts'
import { RELEASE } from '../values/define.ts'
import { kubeObject, type Templated } from '../values/kube-object.ts'
import { API_USER } from './api.ts'
import { authorities } from './authorities.ts'
import type { Component } from './component.ts'
import { RESTRICTED_CONTAINER, restrictedPod, scratch } from './restricted.ts'

const KEEP_SECONDS = 86_400

export type ApiJobProps = {
  readonly component: Component
  readonly values: HopwhistleValues
  readonly command: Templated<readonly string[]>
  readonly env: readonly Templated<k8s.EnvVar>[]
  /** Run before it, in order. */
  readonly initContainers?: readonly Templated<k8s.Container>[]
}

/**
 * A command of the API, run to its end at every installation, upgrade and rollback.
 *
 * A Job cannot be changed, so each revision has one of its own, and Helm removes the one before.
 */
export class ApiJob extends Construct {
  constructor(scope: Construct, id: string, { component, values, command, env, initContainers = [] }: ApiJobProps) {
    super(scope, id)
    const { name, labels } = component
    const temporary = scratch('tmp', '/tmp', '64Mi')
    const trusted = authorities(values)
    kubeObject(this, 'job', k8s.KubeJob, {
      metadata: { name: `${name}-${RELEASE.revision}`, labels },
      spec: {
        backoffLimit: 10,
        ttlSecondsAfterFinished: KEEP_SECONDS,
        template: {
          metadata: { labels: merged(values.podLabels, labels) },
          spec: {
            ...restrictedPod(API_USER),
            imagePullSecrets: values.imagePullSecrets,
            restartPolicy: 'OnFailure',
            initContainers,
            containers: [
              {
                ...RESTRICTED_CONTAINER,
                name: 'command',
                image: values.api.image,
                imagePullPolicy: values.imagePullPolicy,
                // Not its `command`: the image's own entrypoint forbids core dumps.
                args: command,
                env,
                volumeMounts: [temporary.mount, ...trusted.mounts],
                resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { cpu: '1', memory: '512Mi' } },
              },
            ],
            volumes: [temporary.volume, ...trusted.volumes],
          },
        },
      },
    })
  }
}
