/**
 * Which programs that are no part of the measurement use the CPU, by name: from /proc, Linux only.
 *
 * Programs of one name are taken together, as are all threads of the kernel. Only names are read, never arguments: those
 * may hold secrets.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { readProcessStat } from '@hopwhistle/platform/machine/process-stat.ts'
import { type RunningTotal, runningTotal, type WatchedProcess } from './process-source.ts'
import type { OtherProgramEvidence, Series } from './server-evidence.ts'
import type { Source } from './source.ts'

/** How many are kept, those that used the most. */
const KEPT = 12
/** What used less than this, in cores on average, is not worth a name. */
const LEAST_CORES = 0.005

/** @param ours what is measured, with k6 and the sampler */
export function otherProgramsSource(ours: readonly WatchedProcess[]): Source<readonly OtherProgramEvidence[]> {
  const totals = new Map<string, RunningTotal>()
  return {
    begin: async () => {},
    close: async () => {},
    async sample(recorder) {
      const byName = new Map<string, Map<number, number>>([...totals.keys()].map((name) => [name, new Map()]))
      for (const { pid, name, cpuSeconds } of othersThan(ours, readPrograms())) {
        byName.set(name, (byName.get(name) ?? new Map<number, number>()).set(pid, cpuSeconds))
      }
      for (const [name, seconds] of byName) {
        const total = totals.get(name) ?? runningTotal()
        totals.set(name, total)
        recorder.growth(name, total(seconds))
      }
    },
    async end(recorder) {
      const seconds = recorder.atSeconds().at(-1) ?? 0
      return recorder
        .names()
        .map((name) => ({ name, grown: recorder.grown(name) }))
        .filter(({ grown }) => grown >= LEAST_CORES * seconds)
        .sort((a, b) => b.grown - a.grown)
        .slice(0, KEPT)
        .map(({ name }) => ({ name, cpuCores: zeroWhereAbsent(recorder.series(name)) }))
    },
  }
}

/** A program that does not run uses nothing: that is known, not unanswered. */
const zeroWhereAbsent = (series: Series): Series =>
  typeof series === 'number' ? series : series.map((value) => value ?? 0)

type Program = { readonly pid: number; readonly parent: number; readonly name: string; readonly cpuSeconds: number }

/** Parent of every thread of the kernel. */
const KERNEL = 2

function readPrograms(): readonly Program[] {
  return readdirSync('/proc').flatMap((entry) => {
    const pid = Number(entry)
    if (!Number.isInteger(pid)) return []
    try {
      const { command, parent, cpuSeconds } = readProcessStat(pid)
      const isKernel = pid === KERNEL || parent === KERNEL
      const name = isKernel ? 'the kernel' : programName(command, () => firstWord(pid))
      return [{ pid, parent, name, cpuSeconds }]
    } catch {
      // It ended meanwhile.
      return []
    }
  })
}

function othersThan(ours: readonly WatchedProcess[], programs: readonly Program[]): readonly Program[] {
  const children = Map.groupBy(programs, ({ parent }) => parent)
  const running = ours.flatMap(({ pid, withDescendants }) => {
    const id = typeof pid === 'number' ? pid : pid()
    return id === undefined ? [] : [{ id, withDescendants }]
  })
  const known = new Set(running.map(({ id }) => id))
  const withAllBelow = running.filter(({ withDescendants }) => withDescendants).map(({ id }) => id)
  for (let pid = withAllBelow.pop(); pid !== undefined; pid = withAllBelow.pop()) {
    for (const child of children.get(pid) ?? []) {
      known.add(child.pid)
      withAllBelow.push(child.pid)
    }
  }
  return programs.filter(({ pid }) => !known.has(pid))
}

/** The kernel cuts a program's name there. */
const LONGEST_COMM = 15

/**
 * A program's name as `ps -C` and `top` have it, but whole.
 *
 * @param comm what the kernel calls it: Node names its main thread instead
 * @param firstWord how it was called, without its arguments
 */
export function programName(comm: string, firstWord: () => string): string {
  const called = () => /[^/\s:]*$/.exec(firstWord().replace(/[\s:].*$/s, ''))?.[0] ?? ''
  let name = comm
  if (comm === 'MainThread' || comm === 'node-MainThread') name = called() || 'node'
  else if (comm.length >= LONGEST_COMM && called().startsWith(comm)) name = called()
  return name.replaceAll(/[^\w.+@/-]+/g, '_').slice(0, 40)
}

const firstWord = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0', 1)[0] ?? ''
