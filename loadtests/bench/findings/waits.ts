/** What the primary's sessions were at, grouped by what would have to change for them to go on. */
import type { PostgresFacts } from './facts.ts'

export type WaitGroup = 'CPU' | 'WAL flush' | 'row locks' | 'reading data' | 'internal locks' | 'other'

/** Completes "it waited for …". */
export const WAITED_FOR: Readonly<Record<Exclude<WaitGroup, 'CPU'>, string>> = {
  'WAL flush': 'the WAL flush',
  'row locks': "another session's rows",
  'reading data': 'data from disk',
  'internal locks': "one of Postgres's internal locks",
  other: 'something else',
}

const GROUPS: readonly (readonly [WaitGroup, RegExp])[] = [
  ['CPU', /^CPU$/],
  ['WAL flush', /^(IO:Wal|IO:WAL|LWLock:WAL)/],
  ['row locks', /^Lock:/],
  ['reading data', /^IO:(DataFile|Buf)/],
  ['internal locks', /^(LWLock|BufferPin|BufferPin:.*)/],
]

export const waitGroupOf = (event: string): WaitGroup =>
  GROUPS.find(([, pattern]) => pattern.test(event))?.[0] ?? 'other'

/** Sessions that wait for their client do no work: they are no part of this. */
const isWork = (event: string): boolean => !event.startsWith('Client:')

export type WaitShare = { readonly group: WaitGroup; readonly samples: number; readonly share: number }

/** The groups by their share of the samples of a pool (all pools when absent), largest first. */
export function waitShares({ activity }: PostgresFacts, pool?: string): readonly WaitShare[] {
  const counts = new Map<WaitGroup, number>()
  for (const wait of activity.waits) {
    if (!isWork(wait.event) || (pool !== undefined && wait.pool !== pool)) continue
    const group = waitGroupOf(wait.event)
    counts.set(group, (counts.get(group) ?? 0) + wait.samples)
  }
  const total = [...counts.values()].reduce((a, b) => a + b, 0)
  return [...counts]
    .map(([group, samples]) => ({ group, samples, share: samples / total }))
    .sort((a, b) => b.samples - a.samples || (a.group < b.group ? -1 : 1))
}

export const sampleCount = (shares: readonly WaitShare[]): number =>
  shares.reduce((sum, { samples }) => sum + samples, 0)
