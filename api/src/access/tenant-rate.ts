import { createTicker } from '../timing/ticker.ts'

/**
 * Limits each tenant's requests over all instances together.
 *
 * Every instance counts on its own and exchanges counts through Redis a few times a second, off the request's
 * path: a request costs a map look-up. What the others counted since the last exchange is not known yet, so
 * a tenant may overshoot by what it sends in one exchange interval. Without Redis each instance limits alone.
 */
export type TenantRate = {
  /** @returns seconds to wait when the tenant is over its rate, else undefined */
  take(tenantId: string): number | undefined
  /** Requests of the busiest tenant in this second, as far as this instance knows. */
  busiest(): number
  stop(): void
}

/** Adds to each tenant's count of this second and returns the totals, in the order given. */
export type ExchangeCounts = (
  second: number,
  counts: readonly (readonly [tenantId: string, count: number])[],
) => Promise<readonly number[]>

const EXCHANGE_MS = 100

export function createTenantRate(
  ratePerSecond: number,
  exchange: ExchangeCounts | undefined,
  nowMs: () => number = Date.now,
): TenantRate {
  type Window = { second: number; mine: number; unsent: number; others: number }
  const windows = new Map<string, Window>()

  async function exchangeOnce(second: number): Promise<void> {
    const due = [...windows].filter(([, w]) => w.second === second && w.unsent > 0)
    for (const [tenantId, w] of windows) if (w.second < second - 1) windows.delete(tenantId)
    if (due.length === 0 || exchange === undefined) return
    const sent = due.map(([tenantId, w]) => {
      const count = w.unsent
      w.unsent = 0
      return [tenantId, count] as const
    })
    const totals = await exchange(second, sent)
    due.forEach(([, w], i) => {
      if (w.second === second) w.others = Math.max(0, (totals[i] ?? 0) - (w.mine - w.unsent))
    })
  }

  // A failed exchange costs the others' counts of one interval; the next one makes up for nothing, on purpose:
  // the limit then is each instance's own until Redis is back.
  const exchanging = createTicker(EXCHANGE_MS, () => {
    void exchangeOnce(Math.floor(nowMs() / 1000)).catch(() => {})
    return windows.size > 0
  })

  return {
    take: (tenantId) => {
      const ms = nowMs()
      const second = Math.floor(ms / 1000)
      exchanging.wake()
      let w = windows.get(tenantId)
      if (w === undefined || w.second !== second) {
        w = { second, mine: 0, unsent: 0, others: 0 }
        windows.set(tenantId, w)
      }
      if (w.mine + w.others >= ratePerSecond) return 1
      w.mine += 1
      w.unsent += 1
      return undefined
    },
    busiest: () => {
      const second = Math.floor(nowMs() / 1000)
      let most = 0
      for (const w of windows.values()) if (w.second === second) most = Math.max(most, w.mine + w.others)
      return most
    },
    stop: exchanging.stop,
  }
}
