import { setTimeout as sleep } from 'node:timers/promises'
import type { SeriesPoint } from '../../results-format.ts'
import { totalsOf } from '../../scenarios/lib/totals.ts'
import { type K6Snapshot, subtractSnapshots } from './k6-snapshot.ts'

export type FollowOptions = {
  /** Reads each runner over its REST API; undefined when it does not answer. */
  readonly runners: readonly (() => Promise<K6Snapshot | undefined>)[]
  /** From the beginning of a reading to the beginning of the next, unless k6 is slow to answer. */
  readonly everyMs: number
  /** @param each what each runner did in the window of this point, in their order */
  readonly onPoint?: (point: SeriesPoint, total: K6Snapshot, each: readonly K6Snapshot[]) => void
}

/**
 * To answer, k6 sorts every latency that it has kept so far, which takes CPU from the load that it makes. A reading
 * that took long puts the next one off, so that reading costs a runner about 3 % of a core at most.
 */
const REST_PER_READING = 30
const LONGEST_REST_MS = 5_000
const EMPTY: K6Snapshot = { counters: {}, histograms: {} }

/**
 * Reads all runners again and again until it is stopped; what changed between two readings is a point of the series.
 *
 * A reading counts only when every runner answered: a sum over fewer would look as if the rest had stood still. The
 * time until the next one is then part of the next window, so that nothing is lost.
 *
 * @returns stops, and gives the series
 */
export function followK6({ runners, everyMs, onPoint }: FollowOptions): () => Promise<readonly SeriesPoint[]> {
  const stopping = new AbortController()
  const points: SeriesPoint[] = []
  let before: { readonly at: number; readonly snapshot: K6Snapshot; readonly each: readonly K6Snapshot[] } | undefined

  const read = async () => {
    const snapshots = await Promise.all(runners.map((read) => read()))
    const each = snapshots.filter((snapshot) => snapshot !== undefined)
    if (each.length < runners.length) return
    const at = Date.now()
    const snapshot = totalsOf(each)
    if (before !== undefined) {
      const earlier = before
      const point = {
        at: new Date(at).toISOString(),
        windowSeconds: (at - earlier.at) / 1000,
        ...subtractSnapshots(snapshot, earlier.snapshot),
      }
      points.push(point)
      onPoint?.(
        point,
        snapshot,
        each.map((one, i) => subtractSnapshots(one, earlier.each[i] ?? EMPTY)),
      )
    }
    before = { at, snapshot, each }
  }

  const following = (async () => {
    let next = performance.now()
    while (!stopping.signal.aborted) {
      const began = performance.now()
      await read().catch(() => {})
      const restMs = Math.min(LONGEST_REST_MS, REST_PER_READING * (performance.now() - began))
      // On a fixed beat, as long as readings are quick.
      next = Math.max(next + everyMs, performance.now() + restMs)
      await sleep(next - performance.now(), undefined, { signal: stopping.signal }).catch(() => {})
    }
  })()

  return async () => {
    stopping.abort()
    await following
    return points
  }
}
