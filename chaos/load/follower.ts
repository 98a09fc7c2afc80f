import { follow } from '../../client/src/follow.ts'

/** What a live subscriber received. */
export type FollowerFigures = {
  /** Ids of the events. */
  readonly received: ReadonlySet<string>
  /** How often the server said that messages may be lost: a `reset`, or `recovered: false`. */
  readonly toldGaps: number
  /** Connections that were lost. */
  readonly lostConnections: number
  /** Violations of the protocol: an unannounced gap, a repetition, a wrong order. */
  readonly broken: readonly string[]
}

export type Follower = {
  /** Resolves at the first subscription: from then on every message must arrive. */
  readonly subscribed: Promise<void>
  figures(): FollowerFigures
  stop(): void
}

/** The client's code for a server that broke the protocol. */
const PROTOCOL_ERROR = 1002
/** Reconnects after 100 to 200 ms, however often it is refused. */
const BACKOFF = { firstMs: 200, maxMs: 200 }

/**
 * Follows a tenant's calls and resumes after every lost connection from its last offset. Checks the protocol: every frame
 * begins where the one before it ended, unless the server says that messages may be lost.
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
