import { setTimeout as sleep } from 'node:timers/promises'
import type { LiveFrameHead, LiveMessage, LiveReset, LiveSubscribed } from '../../contract/live.ts'
import { LIVE_PATTERN_ALL } from '../../contract/live.ts'
import { liveSocket } from './live-socket.ts'

/** What a live subscriber saw. */
export type FollowerFigures = {
  /** Different events. */
  readonly received: ReadonlySet<string>
  /** Times that the server said that messages may be lost: a `reset`, or `recovered: false`. */
  readonly toldGaps: number
  /** Connections that were lost. */
  readonly lostConnections: number
  /** What the protocol does not allow: a gap in silence, a repetition, a wrong order. */
  readonly broken: readonly string[]
}

export type Follower = {
  /** Resolves when it is subscribed for the first time: what is sent from then on must come. */
  readonly subscribed: Promise<void>
  figures(): FollowerFigures
  stop(): void
}

const RECONNECT_MS = 100
const SUBSCRIBED_WITHIN_MS = 5_000

type Frame = LiveFrameHead | LiveSubscribed | LiveReset | { readonly type: 'pong' | 'error' }

/**
 * Follows a tenant's calls, comes back after every lost connection with its last offset, and holds the server to the
 * protocol: every frame begins where the one before it ended, unless the server says that messages may be lost.
 */
export function startFollower(apiUrl: string, apiKey: string): Follower {
  const received = new Set<string>()
  const broken: string[] = []
  const first = Promise.withResolvers<void>()
  let toldGaps = 0
  let lostConnections = 0
  let at: { readonly epoch: string; readonly offset: number } | undefined
  let socket: WebSocket | undefined
  let stopped = false

  function onFrame(text: string): void {
    const [line = '', ...lines] = text.split('\n')
    const head = JSON.parse(line) as Frame
    if (head.type === 'subscribed' || head.type === 'reset') {
      if (!head.recovered) toldGaps += 1
      else if (at !== undefined && (head.epoch !== at.epoch || head.offset !== at.offset))
        broken.push(`recovered from offset ${head.offset}; the last one here was ${at.offset}`)
      at = { epoch: head.epoch, offset: head.offset }
      first.resolve()
    } else if (head.type === 'events') {
      if (at === undefined || head.epoch !== at.epoch) broken.push(`a frame of epoch ${head.epoch}, unannounced`)
      else if (head.from !== at.offset + 1) broken.push(`a frame from ${head.from} after offset ${at.offset}`)
      let last = head.from - 1
      for (const one of lines) {
        const { offset, eventId } = JSON.parse(one) as LiveMessage
        if (offset <= last || offset > head.to) broken.push(`offset ${offset} after ${last} in a frame to ${head.to}`)
        if (received.has(eventId)) broken.push(`${eventId} came again`)
        received.add(eventId)
        last = offset
      }
      if (lines.length !== head.count) broken.push(`${lines.length} messages in a frame of ${head.count}`)
      at = { epoch: head.epoch, offset: head.to }
    } else broken.push(`a frame of type ${head.type}: ${line}`)
  }
  function connect(): Promise<void> {
    return new Promise((resolve) => {
      const one = liveSocket(apiUrl, apiKey)
      socket = one
      // Whoever lets it connect and never answers is left.
      const tooLate = setTimeout(() => one.close(), SUBSCRIBED_WITHIN_MS)
      one.onopen = () => {
        const recover = at === undefined ? {} : { recover: at }
        one.send(JSON.stringify({ type: 'subscribe', patterns: [LIVE_PATTERN_ALL], ...recover }))
      }
      one.onmessage = ({ data }) => {
        clearTimeout(tooLate)
        onFrame(String(data))
      }
      one.onclose = () => {
        clearTimeout(tooLate)
        resolve()
      }
    })
  }
  void (async () => {
    while (!stopped) {
      await connect()
      if (!stopped) lostConnections += 1
      await sleep(RECONNECT_MS * (1 + Math.random()))
    }
  })()

  return {
    subscribed: first.promise,
    figures: () => ({ received, toldGaps, lostConnections, broken }),
    stop: () => {
      stopped = true
      socket?.close()
    },
  }
}
