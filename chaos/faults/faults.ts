import { apiKilled, apiStopped } from './api-instances.ts'
import { clockStepped } from './clock.ts'
import { connectionsExhausted } from './connections.ts'
import { diskFull } from './disk.ts'
import type { Fault } from './fault.ts'
import { networkFaults } from './network.ts'
import { primaryFrozen, primaryKilled, primaryRestarted } from './primary.ts'
import { redisFrozen, redisFull, redisKilled } from './redis.ts'
import { replicaFrozen, replicaLagging, replicaRebuilt } from './replica.ts'

/** In the order of the document. They run in random order. */
export const FAULTS: readonly Fault[] = [
  apiKilled,
  apiStopped,
  primaryRestarted,
  primaryKilled,
  primaryFrozen,
  connectionsExhausted,
  diskFull,
  replicaFrozen,
  replicaRebuilt,
  replicaLagging,
  redisKilled,
  redisFull,
  redisFrozen,
  ...networkFaults,
  clockStepped,
]
