import { LIVE_CLOSE, LIVE_PATTERN_ALL, type LiveMessage, type LiveType } from '../../contract/live.ts'
import { type Backoff, pauseMs, retryAfterMs, sleep } from './backoff.ts'
import { type Connection, type ParsedConnection, parseConnection } from './connection.ts'
import { type Ended, type LiveGap, type LivePosition, openLiveConnection } from './live-connection.ts'
import { HopwhistleError, mayHeal, readProblem } from './problem.ts'

export type FollowOptions = {
  /** What to follow: `call.*`, which is everything and what is followed unless given, or types such as `call.ringing`. */
  readonly patterns?: readonly (LiveType | typeof LIVE_PATTERN_ALL)[]
  /** A place that an earlier follower reached: what followed comes first. Unless given, only what is new comes. */
  readonly after?: LivePosition
  /** Aborted: the connection is closed, and the iteration ends after what has arrived. */
  readonly signal?: AbortSignal
  /** Between connections; from 200 ms, doubling up to 10 seconds, unless given. */
  readonly backoff?: Backoff
  /** Told of every subscription and of every connection that was lost, for example to show it. */
  readonly onConnection?: (change: ConnectionChange) => void
}

export type ConnectionChange =
  | { readonly state: 'subscribed'; readonly position: LivePosition; readonly recovered: boolean }
  | {
      readonly state: 'lost'
      /** As in docs/live-protocol.md; 1002 when the server broke the protocol, 1006 when it fell silent. */
      readonly code: number
      readonly reason: string
      readonly retryInMs: number
    }

export type Follower = AsyncIterable<LiveMessage | LiveGap> & {
  /** Everything up to here was handed out. Keep it, and a later follower can go on `after` it. */
  readonly position: LivePosition | undefined
}

const BACKOFF: Backoff = { firstMs: 200, maxMs: 10_000 }
/** A connection that lasted so long was a good one: the next failure is the first again. */
const GOOD_AFTER_MS = 5_000
const ASKED_WITHIN_MS = 10_000
/** Closes that come again however often the same is tried. */
const FATAL: Readonly<Record<number, string>> = {
  [LIVE_CLOSE.unauthorized]: 'the key is refused or was revoked: use another one',
  [LIVE_CLOSE.forbidden]: 'the key may not follow calls: use another one',
  [LIVE_CLOSE.badMessage]: 'the server does not understand this client',
  1009: 'there are more patterns than the server takes',
}

const PROBLEM_CODE = /^[a-z-]+$/
/** 4401 is HTTP's 401. */
const CLOSE_OF_STATUS = 4_000

/**
 * Follows a tenant's calls live. A lost connection is opened again, and what was missed meanwhile comes first, in
 * order and once; where the server no longer has it, a `gap` comes instead. A reader that is slow misses nothing: its
 * connection is given up, and resumed when it has caught up.
 *
 * ```ts
 * for await (const message of follow({ url: 'https://calls.example.com', apiKey })) {
 *   if (message.type === 'gap') await readReportsAgain()
 *   else console.log(message.type, message.callId)
 * }
 * ```
 *
 * Iterate over it once. Leaving the loop closes the connection.
 *
 * @throws {HopwhistleError} from the iteration, where connecting again cannot help: the key is refused or revoked
 */
export function follow(connection: Connection, options: FollowOptions = {}): Follower {
  const parsed = parseConnection(connection)
  if (typeof WebSocket === 'undefined')
    throw new Error('there is no WebSocket here: use a browser, or Node 22 or newer')
  const { patterns = [LIVE_PATTERN_ALL], backoff = BACKOFF, signal, onConnection } = options
  const isOver = () => signal?.aborted === true
  let position = options.after

  async function* items() {
    for (let failures = 0; !isOver(); ) {
      const openedAt = performance.now()
      const live = openLiveConnection(parsed, {
        patterns,
        after: position,
        onSubscribed: (at, recovered) => onConnection?.({ state: 'subscribed', position: at, recovered }),
      })
      signal?.addEventListener('abort', live.close)
      try {
        for (let step = await live.next(); step !== undefined; step = await live.next()) {
          position = step.position
          if (step.item !== undefined) yield step.item
        }
      } finally {
        signal?.removeEventListener('abort', live.close)
        live.close()
      }
      if (isOver()) return
      const ended = live.ended()
      const askedMs = await throwIfFinal(parsed, ended)
      const isGood = performance.now() - openedAt >= GOOD_AFTER_MS || ended.code === LIVE_CLOSE.slowReader
      failures = isGood ? 1 : failures + 1
      const retryInMs = pauseMs(backoff, failures, askedMs)
      onConnection?.({ state: 'lost', code: ended.code, reason: ended.reason, retryInMs })
      await sleep(retryInMs, signal)
    }
  }

  const iterator = items()
  return {
    [Symbol.asyncIterator]: () => iterator,
    get position() {
      return position
    },
  }
}

/**
 * A WebSocket does not say what its handshake was answered, so the same is asked for without one.
 *
 * @returns how long the server asked to wait
 * @throws {HopwhistleError} connecting again cannot help
 */
async function throwIfFinal(connection: ParsedConnection, ended: Ended): Promise<number | undefined> {
  const { code, reason, isRefused } = ended
  const why = FATAL[code]
  // A browser's handshake is not refused: it is closed, with the problem's code as the reason.
  if (why !== undefined && PROBLEM_CODE.test(reason)) {
    const type = `urn:hopwhistle:problem:${reason}`
    throw new HopwhistleError({ type, title: 'Key refused', status: code - CLOSE_OF_STATUS, code: reason, detail: why })
  }
  if (why !== undefined) {
    const detail = reason === '' ? why : `${why} (${reason})`
    throw new HopwhistleError({
      type: 'about:blank',
      title: 'Live connection closed',
      status: code,
      code: `closed-${code}`,
      detail,
    })
  }
  if (!isRefused) return undefined
  const { headers, liveUrl } = connection
  const signal = AbortSignal.timeout(ASKED_WITHIN_MS)
  const response = await connection.fetch(liveUrl.replace(/^ws/, 'http'), { headers, signal }).catch(() => undefined)
  if (response === undefined) return undefined
  const problem = await readProblem(response)
  // 426: it is only as a WebSocket that this route may be asked, and all else is well.
  if (response.status >= 400 && response.status !== 426 && !mayHeal(response.status)) throw new HopwhistleError(problem)
  return retryAfterMs(response.headers)
}
