import { type Backoff, pauseMs, retryAfterMs, sleep } from './backoff.ts'
import { type Call, type CallsAnswer, type CallsFilter, callsUrl } from './calls-query.ts'
import { type Connection, type ParsedConnection, parseConnection } from './connection.ts'
import { HopwhistleError, mayHeal, readProblem } from './problem.ts'

/** Calls that have changed, each as it is now, in the order in which they changed. */
export type ChangesPage = {
  readonly calls: readonly Call[]
  /** Keep it once the calls are stored: with it a later follower goes on after them. */
  readonly cursor: string
}

export type ChangesOptions = {
  /** Where it begins without a cursor: calls that have changed since then. */
  readonly since: Date
  /** Of the last page that an earlier follower has dealt with. */
  readonly cursor?: string | undefined
  /** Only calls that match now. A cursor is good only with the filter that it was made with. */
  readonly filter?: Omit<CallsFilter, 'order' | 'position'>
  /** Calls on a page: 200, which is also the most, unless given. */
  readonly limit?: number
  /** The pause when there is nothing more. 5 seconds unless given. */
  readonly everyMs?: number
  /** One request and its answer. 10 seconds unless given. */
  readonly attemptTimeoutMs?: number
  /** After a request that failed; from 200 ms, doubling up to 10 seconds, unless given. */
  readonly backoff?: Backoff
  /** Aborted: the iteration ends. */
  readonly signal?: AbortSignal
}

const DEFAULTS = { limit: 200, everyMs: 5_000, attemptTimeoutMs: 10_000, backoff: { firstMs: 200, maxMs: 10_000 } }

/**
 * Follows the calls that change, for ever: for a warehouse or a CRM. No change is missed, also none of the time when the
 * program was not running, and no state of a call comes twice, as long as the cursor is kept.
 *
 * ```ts
 * for await (const { calls, cursor } of followChanges(connection, { since: new Date('2026-11-01'), cursor: await load() })) {
 *   await store(calls)
 *   await save(cursor)
 * }
 * ```
 *
 * Pages without calls are not handed out, but for the first. What fails for the time being is asked again.
 *
 * @throws {HopwhistleError} from the iteration, where asking again cannot help: the key is refused, or the cursor is from before the
 *   database failed over, was restored, or has deleted the changes since (`token-outdated`, `changes-forgotten`)
 */
export async function* followChanges(connection: Connection, options: ChangesOptions): AsyncGenerator<ChangesPage> {
  const parsed = parseConnection(connection)
  const { everyMs, signal, backoff, ...asked } = { ...DEFAULTS, ...options }
  let { cursor } = options
  let isFirst = true
  for (let failures = 0; signal?.aborted !== true; ) {
    const answer = await ask(parsed, { ...asked, cursor, signal })
    if ('failed' in answer) {
      failures += 1
      await sleep(pauseMs(backoff, failures, answer.failed), signal)
      continue
    }
    failures = 0
    cursor = answer.nextCursor as string
    if (answer.calls.length > 0 || isFirst) yield { calls: answer.calls, cursor }
    isFirst = false
    if (answer.more !== true) await sleep(everyMs, signal)
  }
}

type Asked = Pick<ChangesOptions, 'since' | 'cursor' | 'filter'> & {
  readonly signal: AbortSignal | undefined
  readonly limit: number
  readonly attemptTimeoutMs: number
}

/** @returns an answer, or for how long the server asked to wait @throws {HopwhistleError} asking again cannot help */
async function ask(
  connection: ParsedConnection,
  { since, cursor, filter = {}, limit, attemptTimeoutMs, signal }: Asked,
): Promise<CallsAnswer | { readonly failed: number | undefined }> {
  const query = { ...filter, updatedSince: since.toISOString(), limit, ...(cursor === undefined ? {} : { cursor }) }
  const within = [AbortSignal.timeout(attemptTimeoutMs), ...(signal === undefined ? [] : [signal])]
  try {
    const response = await connection.fetch(callsUrl(connection, query), {
      headers: connection.headers,
      signal: AbortSignal.any(within),
    })
    if (response.ok) return (await response.json()) as CallsAnswer
    if (!mayHeal(response.status)) throw new HopwhistleError(await readProblem(response))
    return { failed: retryAfterMs(response.headers) }
  } catch (error) {
    if (error instanceof HopwhistleError) throw error
    return { failed: undefined }
  }
}
