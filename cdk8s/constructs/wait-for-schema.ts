import type { HopwhistleValues } from '../charts/hopwhistle-values.ts'
import { authorities } from './authorities.ts'
import type { connections } from './connections.ts'
import { RESTRICTED_CONTAINER } from './restricted.ts'

/** Goes before what needs the schema of this version: upgrades start the migrations and the pods at the same time. */
export function waitForSchema(values: HopwhistleValues, env: ReturnType<typeof connections>['writer']) {
  return {
    ...RESTRICTED_CONTAINER,
    name: 'wait-for-schema',
    image: values.api.image,
    imagePullPolicy: values.imagePullPolicy,
    args: ['node', 'api/src/commands/db-wait.ts'],
    env,
    // The volumes are those of the pod.
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }, ...authorities(values).mounts],
    resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } },
  }
}
