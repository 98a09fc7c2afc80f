import { setTimeout as sleep } from 'node:timers/promises'
import { waitUntil } from '../../platform/lib/wait-until.ts'
import { ask } from '../rig/ask.ts'
import { copyPrimary } from '../rig/copy-primary.ts'
import { type Fault, freeze } from './fault.ts'

const FROZEN_MS = 10_000
const LAG_SECONDS = 60
/** Lag can only grow as fast as time passes. */
const LAGGING_MS = (LAG_SECONDS + 5) * 1000
const AWAY_MS = 3_000
const STREAMING_WITHIN_MS = 30_000

export const replicaFrozen: Fault = {
  name: 'replica-frozen',
  title: `Replica frozen (SIGSTOP) for ${FROZEN_MS / 1000} s`,
  needs: 'servers',
  inflict: ({ servers: { replica } }) => freeze(replica, FROZEN_MS),
}

export const replicaRebuilt: Fault = {
  name: 'replica-rebuilt',
  title: 'Replica stopped, wiped and rebuilt from a copy of the primary',
  needs: 'servers',
  inflict: async ({ dir, urls, servers: { replica } }) => {
    await replica.stop('SIGQUIT')
    await sleep(AWAY_MS)
    await copyPrimary(dir, urls.owner)
    await replica.start()
    const streams = "select from pg_stat_replication where state = 'streaming'"
    await waitUntil('the replica to stream', async () => (await ask(urls.owner, streams)).length > 0, {
      timeoutMs: STREAMING_WITHIN_MS,
    })
  },
}

export const replicaLagging: Fault = {
  name: 'replica-lagging',
  title: `Replica falls ${LAG_SECONDS} s behind (recovery_min_apply_delay)`,
  needs: 'servers',
  inflict: async ({ urls }) => {
    const set = async (value: string) => {
      await ask(urls.ownerReplica, `alter system set recovery_min_apply_delay = '${value}'`)
      await ask(urls.ownerReplica, 'select pg_reload_conf()')
    }
    await set(`${LAG_SECONDS}s`)
    await sleep(LAGGING_MS).finally(() => set('0'))
  },
}
