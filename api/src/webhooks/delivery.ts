/**
 * Delivers webhooks, as long as this instance runs. Each instance leases some of them; a worker each sends what the log has.
 *
 * A pass, four times a second while there are leases: find out how far the log is settled, read what hungry workers want, write
 * down what became of deliveries. A third of a lease apart, leases are extended and others taken that nobody has, for
 * instance because its instance died. Without any webhook that look is all there is.
 *
 * No request begins that could still be under way when the lease ends: two instances never send to a webhook at the same time.
 */
import { randomUUID } from 'node:crypto'
import { createShares, type Shares } from '../access/shares.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { repeat } from '../timing/repeat.ts'
import type { Offset } from './message.ts'
import type { Secrets } from './secrets.ts'
import type { Sender } from './sender.ts'
import type { Leased, Waiting, WebhookStore } from './store.ts'
import { LAST_PLACE } from './store.ts'
import { createWorker, type Worker } from './worker.ts'

export type DeliveryDependencies = {
  readonly store: WebhookStore
  readonly secrets: Secrets
  readonly newSender: () => Sender
  readonly shares: Shares
  readonly memoryBytes: number
  readonly sealOffset: (tenantId: string, offset: Offset) => string
  /** Whose log it is: after a failover or a restore it is another, and what was read of the one before is void. */
  readonly history: () => string | undefined
  readonly timeoutMs: number
  readonly retryAfterMs: number
  readonly retryForMs: number
  readonly metrics: Pick<
    Metrics,
    'webhookAttempts' | 'webhookDelay' | 'webhookLag' | 'webhooks' | 'webhooksDisabled' | 'upkeepFailed'
  >
  readonly log: Log
}

export type Delivery = {
  /** A webhook is new or another than it was. */
  changed(): void
  stop(): Promise<void>
}

const PASS_EVERY_MS = 250
const PASS_SOON_MS = 20
/** A snapshot that does not settle for so long has a transaction that may write no batch at all. */
const UNSETTLED_MS = 1_000
const AFTER_FAILURE_MS = 2_000
/** In timeouts of a request: it may begin in the first two thirds, and ends in the last at the latest. */
const LEASE_TIMEOUTS = 3
/** Webhooks that an instance takes at a time, so that instances which start together share them. */
const TAKEN_AT_ONCE = 10

export function startDelivery(deps: DeliveryDependencies): Delivery {
  const { store, metrics, log } = deps
  const lease = randomUUID()
  const leaseMs = deps.timeoutMs * LEASE_TIMEOUTS
  const workers = new Map<string, Worker>()
  /** Those that end their last requests. Their leases are still ours. */
  const ending = new Map<string, Promise<void>>()
  const memory = createShares(deps.memoryBytes)
  let leaseDueAt = 0
  let startsUntil = 0
  let history = deps.history()
  let settled = 0
  let candidate: { readonly numbered: number; readonly next: number; readonly askedAtMs: number } | undefined
  let writing: { readonly numbered: number; readonly writers: ReadonlySet<string> } | undefined

  async function renewLeases(): Promise<void> {
    const askedAt = performance.now()
    const { kept, taken } = await store.lease(lease, [...workers.keys(), ...ending.keys()], leaseMs, TAKEN_AT_ONCE)
    for (const [id, worker] of workers) if (kept.get(id) !== worker.webhook.version) end(worker)
    startsUntil = askedAt + leaseMs - deps.timeoutMs
    leaseDueAt = askedAt + (leaseMs / LEASE_TIMEOUTS) * (0.75 + Math.random() / 4)
    for (const { webhook, waiting } of taken) begin(webhook, waiting)
    if (taken.length === TAKEN_AT_ONCE) leaseDueAt = askedAt + PASS_EVERY_MS
    const counts = await store.counts()
    for (const [state, count] of Object.entries(counts)) metrics.webhooks.set({ state }, count)
  }

  function begin(webhook: Leased, waiting: readonly Waiting[]): void {
    const { id, tenantId } = webhook
    let newest: string
    let previous: string | undefined
    try {
      newest = deps.secrets.open(id, Buffer.from(webhook.secret, 'hex'))
      if (webhook.previousSecret !== null) previous = deps.secrets.open(id, Buffer.from(webhook.previousSecret, 'hex'))
    } catch (error) {
      // Its lease runs out; it is tried again, by this instance or by another with the right key.
      metrics.upkeepFailed.inc({ task: 'webhooks' })
      log.error({ err: error, tenantId, webhookId: id }, 'a webhook cannot be signed for')
      return
    }
    const previousUntilMs = Date.parse(webhook.previousUntil ?? '')
    const worker = createWorker(webhook, waiting, {
      sender: deps.newSender(),
      shares: deps.shares,
      memory,
      secrets: () => (previous === undefined || Date.now() > previousUntilMs ? [newest] : [newest, previous]),
      retryAfterMs: deps.retryAfterMs,
      retryForMs: deps.retryForMs,
      startsUntil: () => startsUntil,
      sealOffset: (offset) => deps.sealOffset(tenantId, offset),
      readOne: (eventId) => store.readOne(tenantId, eventId),
      onAttempt: (result, receivedAtMs) => {
        metrics.webhookAttempts.inc({ result })
        if (result === 'delivered') metrics.webhookDelay.observe(Math.max(0, Date.now() - receivedAtMs) / 1000)
      },
      onHungry: wake,
      onFree: () => {
        for (const other of workers.values()) if (other !== worker) other.go()
      },
    })
    workers.set(id, worker)
    worker.go()
  }

  /** Gives its lease back when its requests have ended. The next instance begins with what is stored. */
  function end(worker: Worker): void {
    const { id } = worker.webhook
    workers.delete(id)
    const ended = worker
      .stop()
      .then(() => settle(worker))
      .then(() => store.release(lease, [id]))
      // Then it runs out.
      .catch((error) => log.warn({ err: error, webhookId: id }, 'the lease of a webhook was not given back'))
      .finally(() => {
        ending.delete(id)
        leaseDueAt = 0
        wake()
      })
    ending.set(id, ended)
  }

  /** @returns the last batch before which none is still to be committed */
  async function readSettled(): Promise<number> {
    const position = await store.position()
    // Nothing that began before is under way: whatever has a number is committed, or never will be.
    if (position.oldest >= position.next) {
      candidate = undefined
      writing = undefined
      settled = position.numbered
    } else if (candidate === undefined || position.oldest >= candidate.next) {
      if (candidate !== undefined) settled = Math.max(settled, candidate.numbered)
      candidate = { ...position, askedAtMs: Date.now() }
    } else if (Date.now() > candidate.askedAtMs + UNSETTLED_MS) {
      settled = Math.max(settled, await askWriters())
    }
    return settled
  }

  /** As `readSettled`, by the transactions that write batches. */
  async function askWriters(): Promise<number> {
    const now = await store.writers()
    const ended = writing !== undefined && !now.writers.some((one) => writing?.writers.has(one))
    const upTo = now.writers.length === 0 ? now.numbered : ended ? (writing?.numbered ?? 0) : 0
    if (writing === undefined || ended) writing = { numbered: now.numbered, writers: new Set(now.writers) }
    return upTo
  }

  async function readFor(hungry: readonly Worker[]): Promise<void> {
    const upTo = await readSettled()
    const asked = hungry.map((worker) => {
      const { after } = worker.wants()
      return { tenantId: worker.webhook.tenantId, from: after.place >= LAST_PLACE ? after.batch + 1 : after.batch }
    })
    const news = new Set(await store.findNews(asked, upTo))
    for (const [i, worker] of hungry.entries()) {
      const { after, events } = worker.wants()
      if (!news.has(i)) {
        if (after.batch < upTo) worker.offer([], { batch: upTo, place: LAST_PLACE }, false)
        continue
      }
      // How long they are is known once they are read: a tenant may have that much more than its share.
      if (events === 0 || memory.ask(worker.webhook.tenantId, 1) !== 'taken') continue
      const found = await store.read(worker.webhook.tenantId, after, upTo, events)
      const last = found.at(-1)
      const isFull = last !== undefined && found.length >= events
      const readTo = isFull ? { batch: last.batch, place: last.place } : { batch: upTo, place: LAST_PLACE }
      worker.offer(found, readTo, isFull)
    }
  }

  async function settle(worker: Worker): Promise<void> {
    const report = worker.report()
    if (report === undefined) return
    const { id, version, tenantId } = worker.webhook
    let written: boolean
    try {
      written = await store.settle(lease, id, version, report)
    } catch (error) {
      worker.unreported(report)
      throw error
    }
    if (written && report.disable !== null) {
      metrics.webhooksDisabled.inc({ reason: report.disable })
      log.warn({ tenantId, webhookId: id, reason: report.disable }, 'a webhook was disabled')
    }
    if ((!written || report.disable !== null) && workers.get(id) === worker) end(worker)
  }

  async function pass(): Promise<void> {
    if (history !== deps.history()) {
      history = deps.history()
      candidate = undefined
      writing = undefined
      settled = 0
      for (const worker of workers.values()) end(worker)
    }
    if (performance.now() >= leaseDueAt) await renewLeases()
    const hungry = [...workers.values()].filter((worker) => worker.wants().events > 0)
    if (hungry.length > 0) await readFor(hungry)
    for (const worker of [...workers.values()]) {
      worker.go()
      await settle(worker)
    }
    const now = Date.now()
    // A log that is not settled has events that nobody has read.
    const unsettledMs = hungry.length > 0 && candidate !== undefined ? now - candidate.askedAtMs : 0
    const lags = [...workers.values()].map((worker) => worker.lagMs(now))
    metrics.webhookLag.set(Math.max(unsettledMs, ...lags) / 1000)
  }

  async function passOrWait(): Promise<number> {
    try {
      await pass()
      const leaseInMs = Math.max(0, leaseDueAt - performance.now())
      return Math.max(PASS_SOON_MS, workers.size > 0 ? Math.min(PASS_EVERY_MS, leaseInMs) : leaseInMs)
    } catch (error) {
      metrics.upkeepFailed.inc({ task: 'webhooks' })
      log.warn({ err: error }, 'webhooks wait; they are tried again')
      return AFTER_FAILURE_MS
    }
  }

  const passes = repeat(passOrWait, PASS_SOON_MS)

  /** A pass follows soon, also after one that is under way. */
  const wake = () => passes.within(PASS_SOON_MS)

  return {
    changed: () => {
      leaseDueAt = 0
      wake()
    },
    stop: async () => {
      await passes.stop()
      for (const worker of workers.values()) end(worker)
      await Promise.all(ending.values())
    },
  }
}
