import type { HopwhistleValues } from '../chart-values/hopwhistle-values.ts'
import { each } from '../values/when.ts'
import { authorities } from './authorities.ts'
import type { connections } from './connections.ts'
import { imageOf, type Pod } from './pod.ts'
import { RESTRICTED_CONTAINER } from './restricted.ts'

/** Goes before what needs the schema of this version: upgrades start the migrations and the pods at the same time. */
export function waitForSchema(
  values: HopwhistleValues,
  env: ReturnType<typeof connections>['writer'],
  { container }: Pod,
) {
  return {
    ...RESTRICTED_CONTAINER,
    name: 'wait-for-schema',
    image: imageOf(values, values.api.image),
    imagePullPolicy: values.imagePullPolicy,
    args: ['node', 'api/src/commands/db-wait.ts'],
    env: [...env, each(container.env)],
    envFrom: container.envFrom,
    // The volumes are those of the pod.
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }, ...authorities(values).mounts],
    resources: values.api.waitResources,
  }
}
