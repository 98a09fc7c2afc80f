/** What a server has used of the CPU so far, and how often it went to sleep; from /proc, so Linux only. */
import { readdirSync, readFileSync } from 'node:fs'
import { descendantsOf } from '../../../platform/machine/process-group.ts'

export type CpuReading = {
  readonly atMs: number
  /** By thread id. */
  readonly threads: ReadonlyMap<string, { readonly cpuNs: number; readonly sleeps: number }>
}

export type CpuUse = {
  /** Share of one core, in percent. */
  readonly percent: number
  /** How often one of its threads was woken, a second. */
  readonly wakeUpsPerSecond: number
}

/** Of a process and all that it started. schedstat counts in nanoseconds; `stat` counts in hundredths of a second. */
export function readCpu(pid: number): CpuReading {
  const threads = new Map<string, { cpuNs: number; sleeps: number }>()
  for (const member of descendantsOf(pid)) {
    for (const thread of entriesOf(`/proc/${member}/task`)) {
      const read = (name: string) => readFileSync(`/proc/${member}/task/${thread}/${name}`, 'latin1')
      try {
        const cpuNs = Number(read('schedstat').split(' ')[0])
        // Whoever was pushed off a busy core is counted as nonvoluntary.
        const sleeps = Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(read('status'))?.[1])
        threads.set(thread, { cpuNs, sleeps })
      } catch {
        // The thread ended meanwhile.
      }
    }
  }
  return { atMs: performance.now(), threads }
}

/** A thread that ended between the two readings is left out; one that began counts from its beginning. */
export function cpuUse(before: CpuReading, after: CpuReading): CpuUse {
  let [cpuNs, sleeps] = [0, 0]
  for (const [thread, now] of after.threads) {
    const then = before.threads.get(thread)
    cpuNs += now.cpuNs - (then?.cpuNs ?? 0)
    sleeps += now.sleeps - (then?.sleeps ?? 0)
  }
  const ms = after.atMs - before.atMs
  return { percent: (cpuNs / 1e6 / ms) * 100, wakeUpsPerSecond: (sleeps / ms) * 1000 }
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
