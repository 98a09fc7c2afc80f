import { setTimeout as sleep } from 'node:timers/promises'
import { type Fault, freeze } from './fault.ts'

const AWAY_MS = 30_000
/** Longer than ingest waits for a lost database. */
const FROZEN_MS = 8_000

export const primaryRestarted: Fault = {
  name: 'primary-restarted',
  title: 'Primary restarted (fast shutdown)',
  needs: 'servers',
  inflict: async ({ servers: { primary } }) => {
    await primary.stop('SIGINT')
    await primary.start()
  },
}

export const primaryKilled: Fault = {
  name: 'primary-killed',
  title: `Primary killed (SIGKILL), and back after ${AWAY_MS / 1000} s`,
  needs: 'servers',
  inflict: async ({ servers: { primary } }) => {
    primary.signalAll('SIGKILL')
    await primary.stop('SIGKILL')
    await sleep(AWAY_MS)
    await primary.start()
  },
}

export const primaryFrozen: Fault = {
  name: 'primary-frozen',
  title: `Primary frozen (SIGSTOP) for ${FROZEN_MS / 1000} s`,
  needs: 'servers',
  inflict: ({ servers: { primary } }) => freeze(primary, FROZEN_MS),
}
