/**
 * Delivers to one webhook, on the instance that has its lease.
 *
 * Events of a call are a lane: only its first is sent, and the next one after that was delivered or given up. Lanes do not
 * wait for each other.
 *
 *   new ──delivered──▶ done            new       read from the log, and in nobody's table
 *    │                  ▲              waiting   an attempt at it or at one before it in its lane failed: it has a row, so
 *    └──failed──▶ waiting ──┘                    that the others may be forgotten
 *
 * The circuit keeps a dead endpoint from costing more than one request at a time:
 *
 *   closed ──calls of three lanes failed, and nothing was delivered in between──▶ open ──pause──▶ half-open
 *     ▲                                                                            ▲               │
 *     └──────────────────────── one was delivered ─────────────────────────────────┴───one failed──┘
 *
 * After nothing but failures for as long as a retry may take, the webhook is disabled, and keeps all that waits.
 */
import { bitOfType, maskOfPatterns } from '@hopwhistle/contract/patterns.ts'
import type { Shares } from '../access/shares.ts'
import type { Content, EventRow, Offset } from './message.ts'
import { bodyOf, contentOf, messageId, typeOfState } from './message.ts'
import type { Attempt, Message, Sender } from './sender.ts'
import type { Leased, ReadEvent, RecentAttempt, Report, Waiting } from './store.ts'
import { LAST_PLACE } from './store.ts'

export type WorkerDependencies = {
  readonly sender: Sender
  /** Requests under way, of all webhooks of this instance. */
  readonly shares: Shares
  /** Bytes of what was read and is not sent yet, of all webhooks of this instance. */
  readonly memory: Pick<Shares, 'hold' | 'give'>
  /** The newest first. */
  readonly secrets: () => readonly string[]
  readonly retryAfterMs: number
  readonly retryForMs: number
  /** `performance.now()` after which no request may begin. */
  readonly startsUntil: () => number
  readonly sealOffset: (offset: Offset) => string
  readonly readOne: (eventId: string) => Promise<EventRow | undefined>
  readonly onAttempt: (result: 'delivered' | 'failed' | 'given-up', receivedAtMs: number) => void
  /** It has room for more of what there is. */
  readonly onHungry: () => void
  /** A request came to its end, so that another webhook may have its place. */
  readonly onFree: () => void
}

export type Worker = {
  readonly webhook: Leased
  /** From where on it wants events, and how many. */
  wants(): { readonly after: Offset; readonly events: number }
  /** What came after that, up to `upTo`; `more` when there is more behind it. */
  offer(events: readonly ReadEvent[], upTo: Offset, more: boolean): void
  /** Begins what may begin. Called a few times a second, so that an open circuit, a lease or a share holds up nothing for long. */
  go(): void
  /** What there is to write down since the last time; undefined when nothing has changed. */
  report(): Report | undefined
  /** A report was not written: it will be part of the next one. */
  unreported(report: Report): void
  /** Age of the oldest event that it has read and not delivered, in ms; 0 while its receiver fails. */
  lagMs(now: number): number
  /** Begins nothing any more. Resolves when all requests have come to an end. */
  stop(): Promise<void>
}

const AT_ONCE = 16
const READ_AHEAD = 100
const WAITING_MAX = 1_000
const RECENT_MAX = 50
const OPENS_AFTER_CALLS = 3
const PAUSE_MAX_MS = 3_600_000
const READ_AGAIN_AFTER_MS = 1_000
/** What was read longer ago is read again before it is sent: a number that was erased meanwhile is not. */
const CONTENT_FRESH_MS = 2_000
/** A position that no event belongs to is written this often. */
const POSITION_EVERY_MS = 30_000

type Item = Offset & {
  readonly eventId: string
  readonly callId: string
  readonly sequence: number | null
  /** Unknown of one that was waiting when the lease began. */
  readonly receivedAtMs: number
  /** Absent: read it again before it is sent. */
  content: Content | undefined
  readAtMs: number
  bytes: number
  state: 'new' | 'waiting' | 'done'
  attempts: number
  firstTriedAtMs: number | undefined
  retryAtMs: number
}

export function createWorker(webhook: Leased, rows: readonly Waiting[], deps: WorkerDependencies): Worker {
  const mask = maskOfPatterns(webhook.patterns) ?? 0
  const lanes = new Map<string, Item[]>()
  /** Heads of lanes whose time has come. */
  const ready: Item[] = []
  /** In the order of the log, from the first on that is neither done nor waiting. */
  const inOrder: Item[] = []
  const running = new Set<Promise<void>>()
  const timers = new Set<NodeJS.Timeout>()
  /** Rows to write and rows to delete. */
  const toWrite = new Set<Item>()
  const toDelete = new Set<Offset>()
  let waitingCount = 0
  let newCount = 0
  let stopped = false
  let changed = false
  let more = false
  let readTo: Offset = { batch: webhook.batch, place: webhook.place }
  let settledTo: Offset = readTo
  let positionWrittenAt = performance.now()
  let recent: readonly RecentAttempt[] = webhook.recent
  let deliveredAt = webhook.deliveredAt
  let disable: string | null = null

  let failingSinceMs = msOf(webhook.failingSince)
  let failures = webhook.failures
  let closedUntilMs = msOf(webhook.retryAt) ?? 0
  const failedCalls = new Set<string>()

  for (const row of rows) {
    const item: Item = {
      ...row,
      receivedAtMs: msOf(row.firstTriedAt) ?? Date.now(),
      content: undefined,
      readAtMs: 0,
      bytes: 0,
      state: 'waiting',
      firstTriedAtMs: msOf(row.firstTriedAt),
      retryAtMs: msOf(row.retryAt) ?? 0,
    }
    waitingCount += 1
    enqueue(item)
  }

  function enqueue(item: Item): void {
    const lane = lanes.get(item.callId)
    if (lane === undefined) {
      lanes.set(item.callId, [item])
      whenDue(item)
    } else {
      lane.push(item)
      if (lane[0]?.state === 'waiting' && item.state === 'new') wait(item)
    }
  }

  function whenDue(head: Item): void {
    const inMs = head.retryAtMs - Date.now()
    if (inMs <= 0) ready.push(head)
    else later(inMs, () => ready.push(head))
  }

  function later(ms: number, work: () => void): void {
    if (stopped) return
    const timer = setTimeout(() => {
      timers.delete(timer)
      work()
      go()
    }, ms).unref()
    timers.add(timer)
  }

  /** Gives it a row, so that the position in the log may move on. */
  function wait(item: Item): void {
    if (item.state === 'new') {
      item.state = 'waiting'
      newCount -= 1
      waitingCount += 1
    }
    forgetContent(item)
    toWrite.add(item)
    changed = true
  }

  function forgetContent(item: Item): void {
    deps.memory.give(webhook.tenantId, item.bytes)
    item.bytes = 0
    item.content = undefined
  }

  function finish(item: Item): void {
    if (item.state === 'new') newCount -= 1
    else {
      waitingCount -= 1
      toWrite.delete(item)
      toDelete.add(item)
    }
    item.state = 'done'
    forgetContent(item)
    changed = true
    const lane = lanes.get(item.callId) ?? []
    lane.shift()
    const next = lane[0]
    if (next === undefined) lanes.delete(item.callId)
    else whenDue(next)
  }

  function mayStart(): boolean {
    if (stopped || ready.length === 0 || performance.now() > deps.startsUntil()) return false
    if (Date.now() < closedUntilMs) return false
    return running.size < (failures > 0 ? 1 : AT_ONCE)
  }

  /** Half-open, one that was never tried says more than one that may be what the endpoint cannot take. */
  function nextReady(): Item {
    const fresh = failures > 0 ? ready.findIndex(({ attempts }) => attempts === 0) : 0
    return ready.splice(Math.max(fresh, 0), 1)[0] as Item
  }

  function go(): void {
    while (mayStart()) {
      if (deps.shares.take(webhook.tenantId, 1) !== 'taken') return
      const item = nextReady()
      const run: Promise<void> = attempt(item).finally(() => {
        running.delete(run)
        deps.shares.give(webhook.tenantId, 1)
        go()
        if (more && wants().events > 0) {
          more = false
          deps.onHungry()
        }
        deps.onFree()
      })
      running.add(run)
    }
  }

  async function attempt(item: Item): Promise<void> {
    const message = await messageOf(item).catch(() => 'unknown' as const)
    if (message === 'unknown') return later(READ_AGAIN_AFTER_MS, () => ready.push(item))
    // Deleted since: there is nothing to say of it.
    if (message === undefined) return finish(item)
    // Reading may have taken its time.
    if (performance.now() > deps.startsUntil()) return later(READ_AGAIN_AFTER_MS, () => ready.push(item))
    const result = await deps.sender.send({ url: webhook.url, secrets: deps.secrets() }, message)
    item.attempts += 1
    note(item, result)
    if (result.delivered) delivered(item)
    else failed(item, result)
  }

  async function messageOf(item: Item): Promise<Message | undefined> {
    let { content } = item
    if (content === undefined || performance.now() > item.readAtMs + CONTENT_FRESH_MS) {
      const row = await deps.readOne(item.eventId)
      if (row === undefined) return undefined
      content = contentOf(row, item.sequence)
    }
    return { id: messageId(webhook.id, item.eventId), body: bodyOf(content, deps.sealOffset(item)) }
  }

  function note({ batch, place, eventId, attempts }: Item, result: Attempt): void {
    const at = new Date().toISOString()
    const { delivered, status = null, error = null, ms } = result
    recent = [...recent, { at, eventId, batch, place, attempt: attempts, delivered, status, error, ms }].slice(
      -RECENT_MAX,
    )
    changed = true
  }

  function delivered(item: Item): void {
    failingSinceMs = undefined
    failures = 0
    closedUntilMs = 0
    failedCalls.clear()
    deliveredAt = new Date().toISOString()
    deps.onAttempt('delivered', item.receivedAtMs)
    finish(item)
  }

  function failed(item: Item, { status, retryAfterMs = 0 }: Attempt): void {
    const now = Date.now()
    item.firstTriedAtMs ??= now
    failingSinceMs ??= now
    failedCalls.add(item.callId)
    if (now >= closedUntilMs && (failures > 0 || failedCalls.size >= OPENS_AFTER_CALLS)) open(now, retryAfterMs)
    if (status === 410) disable = 'gone'
    else if (now - failingSinceMs >= deps.retryForMs) disable = 'failing'
    if (disable !== null) stopped = true
    else if (now - item.firstTriedAtMs >= deps.retryForMs) {
      deps.onAttempt('given-up', item.receivedAtMs)
      finish(item)
      return
    }
    deps.onAttempt('failed', item.receivedAtMs)
    item.retryAtMs = now + Math.max(pauseMs(item.attempts), Math.min(retryAfterMs, PAUSE_MAX_MS))
    for (const each of lanes.get(item.callId) ?? []) wait(each)
    whenDue(item)
  }

  function open(now: number, retryAfterMs: number): void {
    failures += 1
    closedUntilMs = now + Math.max(pauseMs(failures), Math.min(retryAfterMs, PAUSE_MAX_MS))
    // It may stay so for a day, and others need the memory.
    for (const item of inOrder) forgetContent(item)
  }

  /** Doubles with every attempt, up to an hour. A quarter of it is chance, so that what failed together comes apart. */
  function pauseMs(attempts: number): number {
    const pause = Math.min(PAUSE_MAX_MS, deps.retryAfterMs * 2 ** Math.min(attempts - 1, 30))
    return Math.round(pause * (0.875 + Math.random() / 4))
  }

  function wants(): { readonly after: Offset; readonly events: number } {
    const idle = stopped || (failures > 0 && lanes.size > 0) || waitingCount >= WAITING_MAX || newCount > READ_AHEAD / 2
    return { after: readTo, events: idle ? 0 : READ_AHEAD - newCount }
  }

  return {
    webhook,
    wants,
    offer: (events, upTo, moreThere) => {
      more = moreThere
      for (const { batch, place, sequence, row } of events) {
        if (row === undefined || (mask & bitOfType(typeOfState(row.state))) === 0) continue
        // One that waits may be behind the position: it has a row already.
        const isKnown = lanes.get(row.call_id)?.some((one) => one.batch === batch && one.place === place)
        if (isKnown) continue
        const content = contentOf(row, sequence)
        const item: Item = {
          batch,
          place,
          eventId: row.event_id,
          callId: row.call_id,
          sequence,
          receivedAtMs: row.received_at.getTime(),
          content,
          readAtMs: performance.now(),
          bytes: content.data.length,
          state: 'new',
          attempts: 0,
          firstTriedAtMs: undefined,
          retryAtMs: 0,
        }
        deps.memory.hold(webhook.tenantId, item.bytes)
        newCount += 1
        inOrder.push(item)
        enqueue(item)
      }
      readTo = upTo
      go()
    },
    go,
    report: () => {
      while (inOrder[0] !== undefined && inOrder[0].state !== 'new') settledTo = inOrder.shift() as Item
      if (inOrder.length === 0) settledTo = readTo
      if (!changed && performance.now() < positionWrittenAt + POSITION_EVERY_MS) return undefined
      changed = false
      positionWrittenAt = performance.now()
      const report: Report = {
        batch: settledTo.batch,
        place: Math.min(settledTo.place, LAST_PLACE),
        failingSince: timeOf(failingSinceMs),
        failures,
        retryAt: closedUntilMs > Date.now() ? timeOf(closedUntilMs) : null,
        deliveredAt,
        recent,
        waiting: [...toWrite].map(asRow),
        gone: [...toDelete].map(({ batch, place }) => ({ batch, place })),
        disable,
      }
      toWrite.clear()
      toDelete.clear()
      return report
    },
    unreported: ({ waiting, gone }) => {
      changed = true
      for (const offset of gone) toDelete.add(offset)
      for (const { callId, batch, place } of waiting) {
        const item = lanes.get(callId)?.find((one) => one.batch === batch && one.place === place)
        if (item !== undefined) toWrite.add(item)
      }
    },
    lagMs: (now) => {
      const oldest = failingSinceMs === undefined ? inOrder[0]?.receivedAtMs : undefined
      return Math.max(0, now - (oldest ?? now))
    },
    stop: async () => {
      stopped = true
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
      await Promise.all(running)
      for (const item of inOrder) forgetContent(item)
      deps.sender.close()
    },
  }
}

const asRow = (item: Item): Waiting => ({
  batch: item.batch,
  place: item.place,
  eventId: item.eventId,
  callId: item.callId,
  sequence: item.sequence,
  attempts: item.attempts,
  firstTriedAt: timeOf(item.firstTriedAtMs),
  retryAt: item.retryAtMs === 0 ? null : timeOf(item.retryAtMs),
})

const msOf = (time: string | null): number | undefined => (time === null ? undefined : Date.parse(time))
const timeOf = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString())
