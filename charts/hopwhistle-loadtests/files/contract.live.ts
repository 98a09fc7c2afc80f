/**
 * The live protocol, version 1: text frames over one WebSocket. docs/live-protocol.md explains it with examples.
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
 * the range when the patterns left some messages out, and 0 in a frame that only moves the client on.
 * Fields come in the order of the types below, so that a client in a hurry may cut them out.
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

/** What a client may send. */
export type LiveRequest =
  | {
      readonly type: 'subscribe'
      readonly patterns: readonly string[]
      /** Where the client is: it gets exactly what followed. Only while it is subscribed to nothing. */
      readonly recover?: { readonly epoch: string; readonly offset: number }
    }
  | { readonly type: 'unsubscribe'; readonly patterns: readonly string[] }
  | { readonly type: 'ping' }

/** Bounds on what a client sends; past the rate it is closed with 4429, past the others with 4400 or 1009. */
export const LIVE_CLIENT_BOUNDS = {
  messageMaxBytes: 4096,
  patternsMax: 16,
  messagesPerSecond: 10,
  messagesBurst: 30,
} as const

/** The first line of an `events` frame. Times are Unix milliseconds. */
export type LiveFrameHead = {
  readonly type: 'events'
  readonly epoch: string
  readonly from: number
  readonly to: number
  readonly count: number
  readonly sentAt: number
  /** The smallest `occurredAt` of the frame's messages: no message in it is older. `sentAt` when it has none. */
  readonly oldestAt: number
}

/** One line of an `events` frame. */
export type LiveMessage = {
  readonly offset: number
  readonly type: LiveType
  readonly eventId: string
  readonly callId: string
  /**
   * Which event of its call it is, in the order of commit, from 1. Two instances may publish events of one call in the other
   * order: of those that are `applied`, the message with the larger sequence has the newer state. Null for an event that
   * an instance of an older version committed.
   */
  readonly sequence: number | null
  /** Unix milliseconds. */
  readonly occurredAt: number
  /** Unix milliseconds. */
  readonly receivedAt: number
  readonly outcome: 'applied' | 'late'
  readonly corrects?: true
  readonly direction?: string
  readonly from?: string
  readonly to?: string
}

/** Answers a `subscribe`. Everything after `offset` follows in `events` frames. */
export type LiveSubscribed = {
  readonly type: 'subscribed'
  /** All that the socket is subscribed to from here on. */
  readonly patterns: readonly string[]
  readonly epoch: string
  readonly offset: number
  /** False when the client asked to recover and some of what it missed is gone; else true. */
  readonly recovered: boolean
}

/** Answers an `unsubscribe`: what is left, and the offset from which the rest is no longer sent. */
export type LiveUnsubscribed = {
  readonly type: 'unsubscribed'
  readonly patterns: readonly string[]
  readonly epoch: string
  readonly offset: number
}

/** Answers a `ping`. */
export type LivePong = { readonly type: 'pong'; readonly at: number }

/** Says why the socket is closed with 4400 right after. */
export type LiveError = { readonly type: 'error'; readonly code: 'bad-message'; readonly message: string }

/** Sent when the server itself lost sight of messages: nothing is missed in silence. */
export type LiveReset = {
  readonly type: 'reset'
  readonly epoch: string
  readonly offset: number
  readonly recovered: false
}

/** Close codes. 1012 and 1013 are the standard's "service restart" and "try again later": reconnect, and recover. */
export const LIVE_CLOSE = {
  restart: 1012,
  tryAgain: 1013,
  slowReader: 4008,
  badMessage: 4400,
  unauthorized: 4401,
  forbidden: 4403,
  tooManyRequests: 4429,
} as const
