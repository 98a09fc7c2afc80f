import { setTimeout as sleep } from 'node:timers/promises'
import type { SeriesPoint } from '../../results-format.ts'
import { type K6Snapshot, mergeSnapshots, readK6, subtractSnapshots } from './k6-snapshot.ts'

export type FollowOptions = {
  /** `host:port` of every runner's REST API. */
  readonly addresses: readonly string[]
  readonly everyMs: number
  readonly onPoint?: (point: SeriesPoint, total: K6Snapshot) => void
}

/**
 * Reads all runners again and again until told to stop; what changed between two readings is a point of the series.
 *
 * A reading counts only when every runner answered: a sum over fewer would look as if the rest had stood still. The
 * time until the next one is then part of the next window, so that nothing is lost.
 *
 * @returns stops, and gives the series
 */
export function followK6({ addresses, everyMs, onPoint }: FollowOptions): () => Promise<readonly SeriesPoint[]> {
  const stopping = new AbortController()
  const points: SeriesPoint[] = []
  let before: { readonly at: number; readonly snapshot: K6Snapshot } | undefined

  const read = async () => {
    const snapshots = await Promise.all(addresses.map((address) => readK6(address)))
    const answered = snapshots.filter((snapshot) => snapshot !== undefined)
    if (answered.length < addresses.length) return
    const at = Date.now()
    const snapshot = mergeSnapshots(answered)
    if (before !== undefined) {
      const point = {
        at: new Date(at).toISOString(),
        windowSeconds: (at - before.at) / 1000,
        ...subtractSnapshots(snapshot, before.snapshot),
      }
      points.push(point)
      onPoint?.(point, snapshot)
    }
    before = { at, snapshot }
  }

  const following = (async () => {
    let next = performance.now()
    while (!stopping.signal.aborted) {
      await read().catch(() => {})
      // On a fixed beat, whatever a reading took.
      next = Math.max(next + everyMs, performance.now())
      await sleep(next - performance.now(), undefined, { signal: stopping.signal }).catch(() => {})
    }
  })()

  return async () => {
    stopping.abort()
    await following
    return points
  }
}
