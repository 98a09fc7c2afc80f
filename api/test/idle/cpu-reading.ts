/** What a server has used of the CPU so far, and how often it was woken for it; from /proc, so Linux only. */
import { readdirSync, readFileSync } from 'node:fs'
import { descendantsOf } from '../../../loadtests/bench/sample/process-group.ts'

export type CpuReading = {
  readonly atMs: number
  /** By thread id. */
  readonly threads: ReadonlyMap<string, { readonly cpuNs: number; readonly runs: number }>
}

export type CpuUse = {
  /** Share of one core, in percent. */
  readonly percent: number
  /** How often a thread was put on a core, a second: a thread that sleeps between two requests is put there for each. */
  readonly wakeUpsPerSecond: number
}

/** Of a process and all that it started. schedstat counts in nanoseconds; `stat` counts in hundredths of a second. */
export function readCpu(pid: number): CpuReading {
  const threads = new Map<string, { cpuNs: number; runs: number }>()
  for (const member of descendantsOf(pid)) {
    for (const thread of entriesOf(`/proc/${member}/task`)) {
      try {
        const [cpuNs, , runs] = readFileSync(`/proc/${member}/task/${thread}/schedstat`, 'latin1')
          .split(' ')
          .map(Number)
        threads.set(thread, { cpuNs: cpuNs ?? 0, runs: runs ?? 0 })
      } catch {
        // The thread ended meanwhile.
      }
    }
  }
  return { atMs: performance.now(), threads }
}

/** A thread that ended between the two readings is left out; one that began counts from its beginning. */
export function cpuUse(before: CpuReading, after: CpuReading): CpuUse {
  let [cpuNs, runs] = [0, 0]
  for (const [thread, now] of after.threads) {
    const then = before.threads.get(thread)
    cpuNs += now.cpuNs - (then?.cpuNs ?? 0)
    runs += now.runs - (then?.runs ?? 0)
  }
  const ms = after.atMs - before.atMs
  return { percent: (cpuNs / 1e6 / ms) * 100, wakeUpsPerSecond: (runs / ms) * 1000 }
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
