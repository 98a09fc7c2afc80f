import { setTimeout as sleep } from 'node:timers/promises'

export type Victims = {
  /** In the order in which they are to go; one is left at the end. */
  readonly api: readonly number[]
  /** Each with its processes: a Postgres server has many. */
  readonly primary: () => readonly number[]
  readonly replica: () => readonly number[]
  readonly redis: number
}

export type Fault = {
  readonly name: string
  readonly title: string
  /** Does it, and resolves when it is over: what comes then is recovery. */
  inflict(victims: Victims): Promise<void>
}

const FROZEN_MS = 10_000
/** Longer than ingest waits for a database that went away. */
const PRIMARY_FROZEN_MS = 8_000

async function freeze(pids: readonly number[], ms: number): Promise<void> {
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  await sleep(ms)
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGCONT')
    } catch {
      // A backend that ended meanwhile.
    }
  }
}

/** In this order: what can be mended first, what stays away last. */
export const FAULTS: readonly Fault[] = [
  {
    name: 'redis-frozen',
    title: `Redis frozen (SIGSTOP) for ${FROZEN_MS / 1000} s`,
    inflict: ({ redis }) => freeze([redis], FROZEN_MS),
  },
  {
    name: 'replica-frozen',
    title: `Replica frozen for ${FROZEN_MS / 1000} s`,
    inflict: ({ replica }) => freeze(replica(), FROZEN_MS),
  },
  {
    name: 'primary-frozen',
    title: `Primary frozen for ${PRIMARY_FROZEN_MS / 1000} s`,
    inflict: ({ primary }) => freeze(primary(), PRIMARY_FROZEN_MS),
  },
  {
    name: 'api-stopped',
    title: 'One of three API instances stopped (SIGTERM)',
    inflict: async ({ api }) => void process.kill(api[0] as number, 'SIGTERM'),
  },
  {
    name: 'api-killed',
    title: 'One of two API instances killed (SIGKILL)',
    inflict: async ({ api }) => void process.kill(api[1] as number, 'SIGKILL'),
  },
  {
    name: 'redis-killed',
    title: 'Redis killed (SIGKILL), and not there again',
    inflict: async ({ redis }) => void process.kill(redis, 'SIGKILL'),
  },
]
