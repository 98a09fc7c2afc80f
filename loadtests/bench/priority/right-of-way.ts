/**
 * The generator's right of way on a machine that it shares with what it measures: the servers yield to it, so that a
 * shortage of CPU becomes the platform's latency. Needs no root; with root the generator is raised, and the servers are
 * lowered less.
 *
 * keeping ──end()──▶ ended
 *
 * keeping  every server process gets a lower priority, those that start later within `LOOK_EVERY_MS`
 * ended    nothing is watched any more; the servers keep their priority until they are stopped
 */
import { readdirSync, writeFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { readIfThere } from '@hopwhistle/platform/machine/cpu-cgroup.ts'
import { descendantsOf } from '@hopwhistle/platform/machine/process-group.ts'
import type { GeneratorPriority } from '../sample/environment.ts'
import { isInBatchClass } from './batch-scheduling.ts'
import { howToYield } from './how-to-yield.ts'

export type RightOfWay = {
  /** Resolves when every server process that is there has yielded, or will not; the first look may take seconds. */
  settled(): Promise<void>
  /** Gives the right of way to this process. @returns what is in force then, read back; both must still run */
  to(generatorPid: number): Promise<GeneratorPriority>
  end(): Promise<void>
}

/**
 * Nice values of the servers. The kernel's weights: 29,154 at -15, 1,024 at 0, 335 at 5, 36 at 15. Other programs, the
 * sampler among them, are at 0: a server that yields to k6 yields to them, and a busy machine can all but stop it.
 */
const SERVERS = {
  /** k6 is at `RAISED`: it has 87 times the weight of a server. */
  belowRaised: 5,
  /** k6 stays at 0: it has 28 times the weight of a server. */
  belowUsual: 15,
  /** Nothing is to be proved; on a machine that runs other tests, too, the platform has to get on. */
  slightly: 5,
} as const
/** A core that k6 fills leaves the sampler 7 % of it; it needs 1.5 %. */
const RAISED = -15
/** A Postgres backend is a session of its own, and its pools open connections at any time. */
const LOOK_EVERY_MS = 500
/** Without root the kernel accepts one autogroup value in 100 ms, from all users together. */
const RETRY_AFTER_MS = 110

/**
 * @param servers main processes, each yields with all its descendants
 * @param strictly whether the run is to prove something
 */
export function giveRightOfWay(servers: readonly number[], { strictly = true } = {}): RightOfWay {
  const how = howToYield({
    platform: process.platform,
    generator: readIfThere('/proc/self/cgroup') ?? '',
    servers: servers.map((pid) => readIfThere(`/proc/${pid}/cgroup`)).filter((text) => text !== undefined),
    mountinfo: readIfThere('/proc/self/mountinfo') ?? '',
    read: readIfThere,
  })
  if (how.method === 'none') return { settled: async () => {}, to: async () => how, end: async () => {} }
  const means = MEANS[how.method]
  const raised = mayRaise()
  const serverNice = !strictly ? SERVERS.slightly : raised ? SERVERS.belowRaised : SERVERS.belowUsual
  const stopping = new AbortController()
  let refusal: string | undefined

  const look = async () => {
    refusal = undefined
    for (const id of servers.flatMap(means.idsOf)) {
      refusal = (await lower(means, id, serverNice, stopping.signal)) ?? refusal
    }
  }
  const first = look()
  const keeping = (async () => {
    await first
    while (!stopping.signal.aborted) {
      await sleep(LOOK_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {})
      if (!stopping.signal.aborted) await look()
    }
  })()

  return {
    async settled() {
      await first
      // Once more, for what started during the first look.
      await look()
    },
    async to(generatorPid) {
      if (raised) for (const id of means.idsOf(generatorPid)) raise(means, id)
      let nices: readonly number[] = []
      // A session that starts right now is still at its usual priority: that is seen to, and looked at again.
      for (let looks = 0; looks < 5 && (looks === 0 || Math.min(...nices) < serverNice); looks++) {
        await look()
        nices = servers.flatMap(means.idsOf).flatMap((id) => means.read(id) ?? [])
      }
      const platform = Math.min(...nices)
      const k6 = means.read(generatorPid)
      if (k6 === undefined || nices.length === 0) return none('the processes had ended before it was read back')
      if (platform > k6) {
        return { method: how.method, platform, k6, ...(isInBatchClass(generatorPid) && { policy: 'batch' }) }
      }
      return none(`the platform has nice ${platform} and k6 ${k6}${refusal === undefined ? '' : `: ${refusal}`}`)
    },
    async end() {
      stopping.abort()
      await keeping
    },
  }
}

const none = (why: string): GeneratorPriority => ({ method: 'none', why })

/** A way to set a nice value; ids are of processes or threads. */
type Means = {
  idsOf(pid: number): readonly number[]
  /** @returns undefined when it has ended */
  read(id: number): number | undefined
  /** @throws when the kernel refuses */
  write(id: number, nice: number): void
}

const MEANS: Readonly<Record<'autogroup' | 'nice', Means>> = {
  autogroup: {
    idsOf: descendantsOf,
    read(pid) {
      const [, nice] = /nice (-?\d+)/.exec(readIfThere(`/proc/${pid}/autogroup`) ?? '') ?? []
      return nice === undefined ? undefined : Number(nice)
    },
    write: (pid, nice) => writeFileSync(`/proc/${pid}/autogroup`, String(nice)),
  },
  nice: {
    idsOf: (pid) => descendantsOf(pid).flatMap(threadsOf),
    read(id) {
      try {
        return getPriority(id)
      } catch {
        return undefined
      }
    },
    write: setPriority,
  },
}

/** On Linux each thread has a nice value of its own, and hands it on to those that it starts. */
function threadsOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number)
  } catch {
    return [pid]
  }
}

/** Whether this user may give a process more than the usual priority: the kernel asks the same of both means. */
function mayRaise(): boolean {
  const usual = getPriority()
  try {
    setPriority(RAISED)
    setPriority(usual)
    return true
  } catch {
    return false
  }
}

/** @returns what the kernel said when it refused */
async function lower(means: Means, id: number, nice: number, signal: AbortSignal): Promise<string | undefined> {
  while (!signal.aborted) {
    const now = means.read(id)
    if (now === undefined || now >= nice) return undefined
    try {
      means.write(id, nice)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return (error as Error).message
      await sleep(RETRY_AFTER_MS)
    }
  }
  return undefined
}

function raise(means: Means, id: number): void {
  try {
    means.write(id, RAISED)
  } catch {
    // It ended meanwhile. Anything else shows when it is read back.
  }
}
