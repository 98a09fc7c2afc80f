import type { Terminal } from '@hopwhistle/platform/command-line/terminal.ts'
import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import type { RunnerPod, SeriesPoint } from '../../results-format.ts'
import { followK6 } from '../collect/follow-k6.ts'
import type { K6Snapshot } from '../collect/k6-snapshot.ts'
import { runnerReaders } from './follow-runners.ts'
import type { Look } from './look.ts'
import { endedEarly, waitingLine } from './runners-line.ts'

export type ShowRunOptions = {
  readonly cluster: Cluster
  /** What runs. */
  readonly name: string
  /** The same in front of a problem. */
  readonly label: string
  readonly terminal: Terminal
  /** Whether the load has begun, by what was counted in a window. */
  readonly hasBegun: (counters: K6Snapshot['counters']) => boolean
  /** @param beganAt of the load, Unix milliseconds */
  readonly line: (beganAt: number, point: SeriesPoint, total: K6Snapshot, each: readonly K6Snapshot[]) => string
}

export type ShownRun = {
  look(look: Look): void
  /** @returns what was read until then */
  stop(): Promise<readonly SeriesPoint[]>
}

const FOLLOW_EVERY_MS = 2_000

/** Shows a distributed run on the terminal, and reads every runner from the moment that all of them are there. */
export function showRun({ cluster, name, label, terminal, hasBegun, line }: ShowRunOptions): ShownRun {
  let stop: (() => Promise<readonly SeriesPoint[]>) | undefined
  let beganAt: number | undefined
  let pods: readonly RunnerPod[] = []
  const told = new Set<string>()
  return {
    look(look) {
      pods = look.pods
      for (const { kind, text } of look.problems ?? []) {
        if (!told.has(kind)) terminal.step(`  ! ${label}  ${text}`)
        told.add(kind)
      }
      const isUp = pods.length > 0 && pods.every(({ state }) => state === 'running')
      if (beganAt === undefined && look.stage !== 'finished') terminal.show(waitingLine(name, look))
      if (stop !== undefined || !isUp) return
      stop = followK6({
        runners: runnerReaders(cluster, pods),
        everyMs: FOLLOW_EVERY_MS,
        onPoint(point, total, each) {
          if (hasBegun(point.counters)) beganAt ??= Date.parse(point.at) - 1000 * point.windowSeconds
          if (beganAt === undefined) return
          terminal.show(`${line(beganAt, point, total, each)}  ${endedEarly(pods)}`.trimEnd())
        },
      })
    },
    stop: async () => (await stop?.()) ?? [],
  }
}
