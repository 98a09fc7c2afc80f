import { follow } from '../../client/src/follow.ts'

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

/** The client's code for a server that broke the protocol. */
const PROTOCOL_ERROR = 1002
/** Comes back soon, however often it is refused: 100 to 200 ms. */
const BACKOFF = { firstMs: 200, maxMs: 200 }

/**
 * Follows a tenant's calls, comes back after every lost connection with its last offset, and holds the server to the
 * protocol: every frame begins where the one before it ended, unless the server says that messages may be lost.
 */
export function startFollower(apiUrl: string, apiKey: string): Follower {
  const received = new Set<string>()
  const broken: string[] = []
  const first = Promise.withResolvers<void>()
  const over = new AbortController()
  let toldGaps = 0
  let lostConnections = 0

  const items = follow(
    { url: apiUrl, apiKey },
    {
      backoff: BACKOFF,
      signal: over.signal,
      onConnection: (change) => {
        if (change.state === 'subscribed') return first.resolve()
        lostConnections += 1
        if (change.code === PROTOCOL_ERROR) broken.push(change.reason)
      },
    },
  )
  void (async () => {
    for await (const item of items) {
      if (item.type === 'gap') {
        toldGaps += 1
        continue
      }
      if (received.has(item.eventId)) broken.push(`${item.eventId} came again`)
      received.add(item.eventId)
    }
  })().catch((error: Error) => {
    broken.push(`it ended: ${error.message}`)
    first.reject(error)
  })

  return {
    subscribed: first.promise,
    figures: () => ({ received, toldGaps, lostConnections, broken }),
    stop: () => over.abort(),
  }
}
