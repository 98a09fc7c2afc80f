/**
 * A round: new processes and a new copy of the database for each version, and some windows of each kind.
 *
 *   coin: which half is whose ─▶ both start ─▶ warm up ─▶ windows, kinds in random order ─▶ check what is stored ─▶ stop
 */
import type { Random } from '@hopwhistle/contract/traffic/report-queries.ts'
import type { OpenCommit } from '../../base/open-commit.ts'
import { reportPaths } from '../../reports/report-paths.ts'
import { type Both, KINDS, type LoadShape, type Round, type Side, type WindowPair } from '../measured.ts'
import type { Servers } from './servers.ts'
import { type RunningSide, startSide } from './side.ts'
import { bothOf, measureWindow } from './window.ts'

export type RoundOptions = {
  readonly servers: Servers
  /** Of the set of servers. */
  readonly number: number
  readonly versions: Both<Pick<OpenCommit, 'code' | 'checkStored'>>
  readonly load: LoadShape
  readonly random: Random
  readonly signal: AbortSignal
}

export async function measureRound({ servers, number, versions, load, random, signal }: RoundOptions): Promise<Round> {
  const startedAt = new Date()
  const coin = () => random() < 0.5
  const order = (): readonly [Side, Side] => (coin() ? ['base', 'head'] : ['head', 'base'])
  const swapped = coin()
  const [first, second] = servers.halves
  const halves: Both<typeof first> = swapped ? { base: second, head: first } : { base: first, head: second }
  const paths = reportPaths(Math.floor(random() * 2 ** 32), pathsFor(load))
  const started = new Map<Side, RunningSide>()
  try {
    // One after the other, in random order: what starts later finds files of Node in memory that the first one had to read.
    for (const name of order()) {
      signal.throwIfAborted()
      started.set(name, await startSide({ name, half: halves[name], ...versions[name], load, reportPaths: paths }))
    }
    const sides = bothOf((side) => started.get(side)!)
    for (const kind of KINDS) {
      signal.throwIfAborted()
      await measureWindow(kind, load.warmUpSeconds, sides, order(), load.warmUpRate)
    }
    const windows: WindowPair[] = []
    for (let i = 0; i < load.windowsPerRound; i++) {
      for (const kind of shuffled(KINDS, random)) {
        signal.throwIfAborted()
        windows.push(await measureWindow(kind, load.windowSeconds, sides, order()))
      }
    }
    const memoryBytes = bothOf((side) => sides[side].memoryBytes())
    const stored = { base: await sides.base.checkStored(), head: await sides.head.checkStored() }
    return {
      servers: number,
      swapped,
      startedAt: startedAt.toISOString(),
      seconds: (Date.now() - startedAt.getTime()) / 1000,
      windows,
      memoryBytes,
      stored,
    }
  } finally {
    await Promise.all([...started.values()].map((side) => side.stop()))
  }
}

/** Enough that no report of a round is asked for twice. */
const pathsFor = ({ reportsPerSecond, windowSeconds, warmUpSeconds, warmUpRate, windowsPerRound }: LoadShape): number =>
  Math.ceil(reportsPerSecond * (windowSeconds * windowsPerRound + warmUpSeconds * warmUpRate)) + 1

function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  const left = [...items]
  return items.map(() => left.splice(Math.floor(random() * left.length), 1)[0]!)
}
