import {
  LIVE_CLOSE,
  type LiveFrameHead,
  type LiveMessage,
  type LiveReset,
  type LiveSubscribed,
} from '../../contract/live.ts'
import type { ParsedConnection } from './connection.ts'

/** A place in a tenant's messages; everything up to it is settled. */
export type LivePosition = { readonly epoch: string; readonly offset: number }

/** Messages between the two places are lost: ask the reports for what happened meanwhile. */
export type LiveGap = { readonly type: 'gap'; readonly after: LivePosition; readonly now: LivePosition }

/** Why a connection ended: the close code of the server, or of this side. */
export type Ended = {
  readonly code: number
  readonly reason: string
  /** The handshake failed: nobody answered, or the server refused it. */
  readonly isRefused: boolean
}

/** A place that was reached, and what there is at it; nothing where the patterns left a message out. */
export type Step = { readonly position: LivePosition; readonly item?: LiveMessage | LiveGap }

export type LiveConnection = {
  /** What came next; undefined when all is read and the connection has ended. */
  next(): Promise<Step | undefined>
  close(): void
  /** Set when `next` has answered undefined. */
  ended(): Ended
}

export type LiveConnectionOptions = {
  readonly patterns: readonly string[]
  /** Where the client is: it gets what followed. */
  readonly after: LivePosition | undefined
  readonly onSubscribed: (position: LivePosition, isRecovered: boolean) => void
}

const SUBSCRIBED_WITHIN_MS = 10_000
/** After so long a silence the server is asked whether it is there, and has as long again to answer. */
const SILENCE_MS = 15_000
/** Past so many that nobody took, the connection is given up; what follows is fetched when these are read. */
const UNREAD_MAX = 10_000
/** Codes for what this side finds, with the meaning that RFC 6455 gives them. */
const CODE = { normal: 1000, protocolError: 1002, silent: 1006 } as const

/**
 * One WebSocket: connecting ──open──▶ subscribing ──subscribed──▶ following ──▶ ended
 *
 * Holds the server to the protocol: a frame that does not follow the last one ends the connection, and the next one asks
 * again from the last good place, so that a gap is never passed over in silence.
 */
export function openLiveConnection(connection: ParsedConnection, options: LiveConnectionOptions): LiveConnection {
  /** Not taken by the reader yet. */
  let steps: Step[] = []
  let at = options.after
  let isSubscribed = false
  let wasOpen = false
  let ended: Ended | undefined
  let wake = () => {}
  let lastHeardAt = performance.now()
  let askedAt = 0
  let lastError: string | undefined

  const socket = new WebSocket(connection.liveUrl, [...connection.liveProtocols])
  const tooLate = setTimeout(
    () => end(CODE.silent, `not subscribed within ${SUBSCRIBED_WITHIN_MS / 1000} s`),
    SUBSCRIBED_WITHIN_MS,
  )
  const listening = setInterval(checkSilence, SILENCE_MS / 3)

  socket.onopen = () => {
    wasOpen = true
    const recover = at === undefined ? {} : { recover: at }
    socket.send(JSON.stringify({ type: 'subscribe', patterns: options.patterns, ...recover }))
  }
  socket.onmessage = ({ data }) => {
    if (ended !== undefined) return
    lastHeardAt = performance.now()
    const wrong = readFrame(String(data))
    if (wrong !== undefined) end(CODE.protocolError, wrong)
    else if (steps.length > UNREAD_MAX) end(LIVE_CLOSE.slowReader, `more than ${UNREAD_MAX} messages were not read`)
    wake()
  }
  socket.onclose = ({ code, reason }) => end(code, lastError ?? reason, !wasOpen)

  function end(code: number, reason: string, isRefused = false): void {
    if (ended !== undefined) return
    ended = { code, reason, isRefused }
    clearTimeout(tooLate)
    clearInterval(listening)
    socket.close()
    wake()
  }

  /** A network that breaks says nothing, and a browser shows nothing of the server's pings. */
  function checkSilence(): void {
    const now = performance.now()
    if (!isSubscribed || now - lastHeardAt < SILENCE_MS) return
    if (askedAt <= lastHeardAt) {
      askedAt = now
      socket.send(JSON.stringify({ type: 'ping' }))
    } else if (now - askedAt >= SILENCE_MS) end(CODE.silent, `no answer to a ping within ${SILENCE_MS / 1000} s`)
  }

  /** @returns what the protocol does not allow about it */
  function readFrame(text: string): string | undefined {
    const [line = '', ...lines] = text.split('\n')
    const head = parse<LiveFrameHead | LiveSubscribed | LiveReset | { type: 'error'; message: string }>(line)
    if (head === undefined) return 'a frame that is not JSON'
    if (head.type === 'events') return readEvents(head, lines)
    if (head.type === 'subscribed' || head.type === 'reset') return readPlace(head)
    // Told right before it closes. Types that do not exist yet are none of our business.
    if (head.type === 'error') lastError = head.message
    return undefined
  }

  function readPlace({ type, epoch, offset, recovered }: LiveSubscribed | LiveReset): string | undefined {
    const now = { epoch, offset }
    if (at !== undefined && recovered && (at.epoch !== epoch || at.offset !== offset))
      return `recovered from offset ${offset}; the last one here was ${at.offset}`
    steps.push({ position: now, ...(at === undefined || recovered ? {} : { item: { type: 'gap', after: at, now } }) })
    at = now
    if (type === 'subscribed') {
      isSubscribed = true
      clearTimeout(tooLate)
      options.onSubscribed(now, recovered)
    }
    return undefined
  }

  function readEvents({ epoch, from, to, count }: LiveFrameHead, lines: readonly string[]): string | undefined {
    if (!isSubscribed || at === undefined || epoch !== at.epoch) return `a frame of epoch ${epoch}, unannounced`
    if (from !== at.offset + 1) return `a frame from ${from} after offset ${at.offset}`
    if (lines.length !== count) return `${lines.length} messages in a frame of ${count}`
    const read: Step[] = []
    let last = from - 1
    for (const each of lines) {
      const item = parse<LiveMessage>(each)
      if (item === undefined) return 'a message that is not JSON'
      if (!(item.offset > last && item.offset <= to)) return `offset ${item.offset} after ${last} in a frame to ${to}`
      last = item.offset
      read.push({ position: { epoch, offset: last }, item })
    }
    at = { epoch, offset: to }
    steps.push(...read)
    if (last < to) steps.push({ position: at })
    return undefined
  }

  let taken: readonly Step[] = []
  let read = 0
  return {
    next: async () => {
      while (read === taken.length) {
        if (steps.length === 0 && ended !== undefined) return undefined
        if (steps.length === 0) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
        taken = steps
        steps = []
        read = 0
      }
      return taken[read++]
    },
    close: () => end(CODE.normal, 'closed here'),
    ended: () => ended as Ended,
  }
}

function parse<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}
