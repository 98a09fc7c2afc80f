/**
 * The live protocol, version 1: text frames over one WebSocket.
 *
 * A client asks with JSON, one object a frame:
 *   {"type":"subscribe","patterns":["call.*"],"recover":{"epoch":"…","offset":41}}
 *   {"type":"unsubscribe","patterns":["call.*"]}
 *   {"type":"ping"}
 *
 * The server answers `subscribed`, `unsubscribed`, `pong` or `error`, and sends `events` frames:
 * a head and then one message a line, so that a reader which only counts need not parse them all.
 *   {"type":"events","epoch":"…","from":42,"to":44,"count":2,"sentAt":…,"oldestAt":…}\n{"offset":42,…}\n{"offset":44,…}
 *
 * `from`…`to` is the range of the tenant's offsets that the frame settles: a client has missed
 * nothing as long as every `from` is the `to` before it plus one. `count` is below the length of
 * the range when the patterns left some messages out.
 */
export const LIVE_SUBPROTOCOL = 'hopwhistle.v1'
/** A browser cannot set headers: it offers its key as a second subprotocol with this prefix. */
export const LIVE_KEY_SUBPROTOCOL_PREFIX = 'hopwhistle.key.'

export const LIVE_PATTERN_ALL = 'call.*'

/** `call.ringing` and so on: one per call state. */
export const LIVE_TYPES = [
  'call.initiated',
  'call.ringing',
  'call.answered',
  'call.completed',
  'call.busy',
  'call.no_answer',
  'call.failed',
  'call.canceled',
] as const
export type LiveType = (typeof LIVE_TYPES)[number]

/** The first line of an `events` frame. Times are Unix milliseconds. */
export type LiveFrameHead = {
  readonly type: 'events'
  readonly epoch: string
  readonly from: number
  readonly to: number
  readonly count: number
  readonly sentAt: number
  /** The smallest `occurredAt` of the frame's messages: no message in it is older. */
  readonly oldestAt: number
}

/** One line of an `events` frame. */
export type LiveMessage = {
  readonly offset: number
  readonly type: LiveType
  readonly eventId: string
  readonly callId: string
  /** Unix milliseconds. */
  readonly occurredAt: number
  /** Unix milliseconds. */
  readonly receivedAt: number
  readonly outcome: 'applied' | 'late'
  readonly direction?: string
  readonly from?: string
  readonly to?: string
}

/** Answers a `subscribe`. Everything after `offset` follows in `events` frames. */
export type LiveSubscribed = {
  readonly type: 'subscribed'
  readonly patterns: readonly string[]
  readonly epoch: string
  readonly offset: number
  /** True when nothing was missed since the offset asked for; false when some of it is gone. */
  readonly recovered: boolean
}

/** Sent when the server itself lost sight of messages: nothing is missed in silence. */
export type LiveReset = {
  readonly type: 'reset'
  readonly epoch: string
  readonly offset: number
  readonly recovered: false
}

/** Close codes. 1012 is the standard's "service restart": reconnect, after a little while. */
export const LIVE_CLOSE = {
  restart: 1012,
  slowReader: 4008,
  badMessage: 4400,
  unauthorized: 4401,
  tooManyRequests: 4429,
} as const
