/**
 * One subscriber over its whole life, on as many connections as it takes.
 *
 * connecting ──subscribed──▶ receiving ──closed──▶ connecting (asks for what it missed) … ──stop()──▶ stopped
 */
import { WebSocket } from 'k6/websockets'
import { LIVE_PATTERN_ALL, LIVE_SUBPROTOCOL } from './contract.live.ts'
import { ROUTES } from './contract.routes.ts'
import type { DeliveryTally, Subscriber } from './lib.delivery-tally.ts'
import { headStart } from './lib.live-frame.ts'
import { skipTo } from './lib.offset-ledger.ts'
import { requestHeaders } from './lib.request-headers.ts'
import type { LiveSettings } from './lib.settings.ts'
import type { FrameCounts } from './lib.k6.frame-counts.ts'
import type { FrameHandler } from './lib.k6.frame-handler.ts'

/** k6's own type knows no subprotocols, k6 does. */
export const SUBPROTOCOL = LIVE_SUBPROTOCOL as unknown as null
const RECONNECT_MS = 100
const RECONNECT_SPREAD_MS = 900

export type SubscriberSocket = { stop(): void; isConnected(): boolean }

/** k6's own type leaves out when the frame was read: `timestamp`, in fractional Unix milliseconds. */
type Frame = { readonly data: string | ArrayBuffer | Blob; readonly timestamp: number }

/** What the server says beside `events` frames. */
type Notice = { type: string; epoch: string; offset: number; recovered: boolean }

export type SubscriberSetup = {
  readonly settings: LiveSettings
  readonly tenant: number
  readonly tally: DeliveryTally
  readonly counts: FrameCounts
  readonly handler: FrameHandler
  /** Whether it looks at every message's id, and not only at the offsets of frames. */
  readonly checks: boolean
}

export function openSubscriber({
  settings,
  tenant,
  tally,
  counts,
  handler,
  checks,
}: SubscriberSetup): SubscriberSocket {
  const url = `${settings.wsUrl}${ROUTES.live}`
  const params = { headers: requestHeaders(settings, tenant), tags: { name: ROUTES.live } }
  const { take, check } = handler
  let subscriber: Subscriber | undefined
  let epoch = ''
  let start = headStart(epoch)
  let socket: WebSocket | undefined
  let stopped = false
  let connected = false

  function onFrame(event: Frame): void {
    const frame = event.data as string
    if (!take(frame, start, subscriber, Date.now())) onNotice(JSON.parse(frame) as Notice)
  }

  function onCheckedFrame(event: Frame): void {
    const now = Date.now()
    const frame = event.data as string
    const isEvents = check(frame, start, subscriber, now, event.timestamp)
    if (!isEvents) onNotice(JSON.parse(frame) as Notice)
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
    socket.onmessage = (checks ? onCheckedFrame : onFrame) as (event?: unknown) => void
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
