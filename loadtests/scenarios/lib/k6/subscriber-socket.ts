/**
 * One subscriber over its whole life, on as many connections as it takes.
 *
 * connecting ──subscribed──▶ receiving ──closed──▶ connecting (asks for what it missed) … ──stop()──▶ stopped
 */
import { WebSocket } from 'k6/websockets'
import { LIVE_PATTERN_ALL, LIVE_SUBPROTOCOL } from '../../../../contract/live.ts'
import { ROUTES } from '../../../../contract/routes.ts'
import type { DeliveryTally, Subscriber } from '../delivery-tally.ts'
import { emptyHead, emptyMessages, headStart, readHead, readMessages } from '../live-frame.ts'
import { messagePrefix } from '../message-ids.ts'
import { isSettled, settle, skipTo } from '../offset-ledger.ts'
import type { LiveSettings } from '../settings.ts'
import type { FrameCounts } from './frame-counts.ts'
import type { LiveMeter } from './live-meter.ts'
import { requestHeaders } from './run-context.ts'

/** Every tenth offset's exact latency also goes to k6's own trend. */
const TREND_EVERY = 10
/** k6's own type knows no subprotocols, k6 does. */
const SUBPROTOCOL = LIVE_SUBPROTOCOL as unknown as null
const RECONNECT_MS = 100
const RECONNECT_SPREAD_MS = 900

export type SubscriberSocket = { stop(): void; isConnected(): boolean }

/** k6's own type leaves out when the frame was read: `timestamp`, in fractional Unix milliseconds. */
type Frame = { readonly data: string | ArrayBuffer | Blob; readonly timestamp?: number }

/** What the server says beside `events` frames. */
type Notice = { type: string; epoch: string; offset: number; recovered: boolean }

/** One for the whole VU: its event loop handles one frame at a time. */
const head = emptyHead()
const messages = emptyMessages()

export type SubscriberSetup = {
  readonly settings: LiveSettings
  readonly meter: LiveMeter
  readonly runId: string
  readonly tally: DeliveryTally
  readonly counts: FrameCounts
  /** Whether it reads every message, not only the heads of frames. */
  readonly checks: boolean
}

export function openSubscriber(setup: SubscriberSetup): SubscriberSocket {
  const { settings, meter, tally, counts, checks } = setup
  const prefix = messagePrefix(setup.runId)
  const url = `${settings.wsUrl}${ROUTES.live}`
  const params = { headers: requestHeaders(settings), tags: { name: ROUTES.live } }
  let subscriber: Subscriber | undefined
  let epoch = ''
  let start = headStart(epoch)
  let socket: WebSocket | undefined
  let stopped = false
  let connected = false

  function onMessage(event: Frame | undefined): void {
    if (event === undefined) return
    const frame = event.data as string
    const now = Date.now()
    if (!readHead(frame, start, head)) {
      onNotice(JSON.parse(frame) as Notice)
      return
    }
    counts.frames += 1
    if (subscriber === undefined) return
    const { oldestAt, from, to, count } = head
    if (checks) checkMessages(subscriber, frame, now, event.timestamp)
    else counts.of(oldestAt).bound.add(now - oldestAt, count)
    settle(subscriber, from, to, count)
  }

  /** @param readAt when k6 had read the frame from the network, fractional ms; the rest until `now` it waited in k6 */
  function checkMessages(by: Subscriber, frame: string, now: number, readAt: number | undefined): void {
    const phase = counts.of(head.oldestAt)
    if (readAt !== undefined) phase.lag.add(Math.floor(now - readAt), 1)
    const count = readMessages(frame, head, prefix, messages)
    if (count !== head.count) counts.malformed += 1
    let previous = head.from - 1
    for (let i = 0; i < count; i++) {
      const offset = messages.offsets[i] ?? 0
      if (offset <= previous || offset > head.to) counts.malformed += 1
      previous = offset
      if (offset <= by.last && isSettled(by, offset)) continue
      if (!tally.checked(by, offset, messages.numbers[i] ?? -1, messages.ids[i] ?? '')) continue
      const ms = now - (messages.occurredAt[i] ?? 0)
      phase.exact.add(ms, 1)
      if (phase.phase === 'peak' && offset % TREND_EVERY === 0) meter.deliveryTrend.add(ms)
    }
  }

  function onNotice(notice: Notice): void {
    if (notice.type !== 'subscribed' && notice.type !== 'reset') return
    if (subscriber === undefined) {
      subscriber = tally.subscribe(notice.offset, checks)
      counts.connected += 1
    } else if (!notice.recovered) {
      counts.unrecovered += 1
      // Another epoch counts from the start again: what was missed has no offsets, but the farewells tell its number.
      if (notice.epoch === epoch) skipTo(subscriber, notice.offset)
      else subscriber.last = notice.offset
    }
    epoch = notice.epoch
    start = headStart(epoch)
    connected = true
  }

  function connect(): void {
    if (stopped) return
    socket = new WebSocket(url, SUBPROTOCOL, params)
    socket.onopen = () => {
      const recover = subscriber === undefined ? {} : { recover: { epoch, offset: subscriber.last } }
      socket?.send(JSON.stringify({ type: 'subscribe', patterns: [LIVE_PATTERN_ALL], ...recover }))
    }
    socket.onmessage = onMessage as (event?: unknown) => void
    // A failed connection is closed as well, and that is acted on; without a handler k6 would end the iteration.
    socket.onerror = () => {}
    socket.onclose = () => {
      if (connected && !stopped) counts.reconnected += 1
      connected = false
      if (!stopped) setTimeout(connect, RECONNECT_MS + Math.random() * RECONNECT_SPREAD_MS)
    }
  }

  connect()
  return {
    stop() {
      stopped = true
      socket?.close()
    },
    isConnected: () => connected,
  }
}
