import { createTicker } from '../timing/ticker.ts'
import type { Principal } from './principal.ts'

/**
 * Limits the events of each tenant, and of each key that has a rate of its own, over all instances together. A request that
 * brings no events counts as one.
 *
 * A batch is known to be one once its body has been read. Then all of it is taken, so that it may be larger than the rate, and
 * what is more than a second's worth is owed by the seconds that follow: on average, nobody gets more than the rate.
 *
 * Every instance counts on its own and exchanges counts through Redis a few times a second, off the request's
 * path: a request costs a map look-up. What the others counted since the last exchange is not known yet, so
 * a tenant may overshoot by what it sends in one exchange interval. Without Redis each instance limits alone.
 */
export type Rates = {
  /** Counts a request, or one event, unless the tenant or the key is over its rate. */
  take(who: Sender): OverRate | undefined
  /** Counts events of a request that was taken. */
  charge(who: Sender, events: number): void
  /** Events of the busiest tenant in this second, as far as this instance knows. */
  busiest(): number
  stop(): void
}

export type Sender = Pick<Principal, 'tenantId' | 'tenantRate' | 'keyId' | 'keyRate'>
export type OverRate = { readonly of: 'tenant' | 'key'; readonly ratePerSecond: number; readonly waitSeconds: number }

/** Adds to each count of this second and returns the totals, in the order given. */
export type ExchangeCounts = (
  second: number,
  counts: readonly (readonly [id: string, count: number])[],
) => Promise<readonly number[]>

const EXCHANGE_MS = 100

/** @param usualRate of a tenant that has none of its own, events a second */
export function createRates(
  usualRate: number,
  exchange: ExchangeCounts | undefined,
  nowMs: () => number = Date.now,
): Rates {
  type Window = { rate: number; second: number; owed: number; mine: number; unsent: number; others: number }
  const tenants = new Map<string, Window>()
  const keys = new Map<string, Window>()
  const used = ({ owed, mine, others }: Window): number => owed + mine + others
  const owedAt = (second: number, w: Window): number => Math.max(0, used(w) - w.rate * Math.max(0, second - w.second))

  async function exchangeOnce(second: number): Promise<void> {
    for (const windows of [tenants, keys]) {
      for (const [id, w] of windows) if (w.second < second - 1 && owedAt(second, w) === 0) windows.delete(id)
    }
    const due = [...tenants, ...keys].filter(([, w]) => w.second === second && w.unsent > 0)
    if (due.length === 0 || exchange === undefined) return
    const sent = due.map(([id, w]) => {
      const count = w.unsent
      w.unsent = 0
      return [id, count] as const
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
    return tenants.size + keys.size > 0
  })

  function windowOf(windows: Map<string, Window>, id: string, rate: number): Window {
    const second = Math.floor(nowMs() / 1000)
    let w = windows.get(id)
    if (w === undefined || w.second !== second) {
      w = { rate, second, owed: w === undefined ? 0 : owedAt(second, w), mine: 0, unsent: 0, others: 0 }
      windows.set(id, w)
    }
    w.rate = rate
    return w
  }
  const ofTenant = ({ tenantId, tenantRate = usualRate }: Sender) => windowOf(tenants, tenantId, tenantRate)
  const ofKey = ({ keyId, keyRate }: Sender) => (keyRate === undefined ? undefined : windowOf(keys, keyId, keyRate))
  function count(w: Window, events: number): void {
    w.mine += events
    w.unsent += events
    exchanging.wake()
  }
  /** Until what is used has become less than one second's worth. */
  const overRate = (of: OverRate['of'], w: Window): OverRate => ({
    of,
    ratePerSecond: w.rate,
    waitSeconds: Math.max(1, Math.floor(used(w) / w.rate)),
  })

  return {
    take: (who) => {
      const tenant = ofTenant(who)
      const key = ofKey(who)
      if (used(tenant) >= tenant.rate) return overRate('tenant', tenant)
      if (key !== undefined && used(key) >= key.rate) return overRate('key', key)
      count(tenant, 1)
      if (key !== undefined) count(key, 1)
      return undefined
    },
    charge: (who, events) => {
      count(ofTenant(who), events)
      const key = ofKey(who)
      if (key !== undefined) count(key, events)
    },
    busiest: () => {
      const second = Math.floor(nowMs() / 1000)
      let most = 0
      for (const w of tenants.values()) if (w.second === second) most = Math.max(most, w.mine + w.others)
      return most
    },
    stop: exchanging.stop,
  }
}
