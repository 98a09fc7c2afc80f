import { type Backoff, pauseMs, retryAfterMs, sleep } from './backoff.ts'
import { type Call, type CallsFilter, callsUrl } from './calls-query.ts'
import { type Connection, parseConnection } from './connection.ts'
import { HopwhistleError, mayHeal, readProblem } from './problem.ts'

export type ExportCallsOptions = {
  /** The cursor that an earlier export, of the same filter, had reached: it goes on there. */
  readonly after?: string
  /** Aborted: the request is ended, and the iteration with it. */
  readonly signal?: AbortSignal
  /** Between attempts; from 200 ms, doubling up to 10 seconds, unless given. */
  readonly backoff?: Backoff
  /** A server that sends nothing for so long is given up and asked again. 60 seconds unless given. */
  readonly silentMs?: number
  /** Told of every request that failed, or ended early, and is made again from where it ended. */
  readonly onResume?: (why: { readonly cause?: unknown; readonly retryInMs: number }) => void
}

export type CallsExport = AsyncIterable<Call> & {
  /** Every call up to here was handed out. Keep it, and a later export can go on `after` it. */
  readonly cursor: string | undefined
}

const BACKOFF: Backoff = { firstMs: 200, maxMs: 10_000 }
const SILENT_MS = 60_000
const NDJSON = 'application/x-ndjson'

/**
 * Every call of a filter, newest first, however many there are. A request that ends early, because its connection breaks or at a
 * limit of the server, is made again from the call after the last one. A slow reader slows the server down.
 *
 * The calls of one request are as of one moment; those of the next, as of a later one.
 *
 * ```ts
 * for await (const call of exportCalls({ url: 'https://calls.example.com', apiKey }, { state: 'COMPLETED' })) {
 *   await warehouse.insert(call)
 * }
 * ```
 *
 * @throws {HopwhistleError} the server refuses it, and would do so again
 */
export function exportCalls(
  connection: Connection,
  filter: CallsFilter = {},
  options: ExportCallsOptions = {},
): CallsExport {
  const parsed = parseConnection(connection)
  const { signal, backoff = BACKOFF, silentMs = SILENT_MS, onResume } = options
  const isOver = () => signal?.aborted === true
  let cursor = options.after

  const request = (within: AbortSignal): Promise<Response> =>
    parsed.fetch(callsUrl(parsed, { ...filter, ...(cursor === undefined ? {} : { cursor }) }), {
      headers: { ...parsed.headers, accept: NDJSON },
      signal: within,
    })

  async function* calls(): AsyncGenerator<Call> {
    let failures = 0
    while (!isOver()) {
      const silence = new AbortController()
      const watch = watchSilence(silence, silentMs)
      let failure: { readonly cause: unknown; readonly askedMs?: number | undefined } | undefined
      try {
        const response = await request(
          signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]),
        )
        if (isOfLines(response)) {
          let next: string | null = null
          for await (const line of linesOf(response, watch.heard)) {
            const { cursor: after, ...call } = JSON.parse(line) as Call & { readonly cursor: string | null }
            next = after
            failures = 0
            // Before it is handed out: a caller that stops there has received it.
            cursor = after ?? cursor
            watch.pause()
            yield call as Call
            watch.heard()
          }
          if (next === null) return
        } else {
          failure = { cause: new HopwhistleError(await readProblem(response)), askedMs: retryAfterMs(response.headers) }
        }
      } catch (cause) {
        failure = { cause }
      } finally {
        watch.pause()
        // Also when the loop is left: the server stops reading then.
        silence.abort()
      }
      if (isOver()) return
      if (failure?.cause instanceof HopwhistleError && !mayHeal(failure.cause.problem.status)) throw failure.cause
      failures = failure === undefined ? 0 : failures + 1
      const retryInMs = failure === undefined ? 0 : pauseMs(backoff, failures, failure.askedMs)
      onResume?.({ ...(failure === undefined ? {} : { cause: failure.cause }), retryInMs })
      await sleep(retryInMs, signal)
    }
  }

  const iterator = calls()
  return {
    [Symbol.asyncIterator]: () => iterator,
    get cursor() {
      return cursor
    },
  }
}

/** Something in between may have answered with a page of its own. */
const isOfLines = ({ ok, headers }: Response) => ok && headers.get('content-type')?.startsWith(NDJSON) === true

/** Aborts when nothing is heard for so long; not while nobody listens. */
function watchSilence(silence: AbortController, silentMs: number) {
  let timer: ReturnType<typeof setTimeout> | undefined
  const pause = () => clearTimeout(timer)
  const heard = () => {
    pause()
    timer = setTimeout(() => silence.abort(new Error(`the server sent nothing for ${silentMs} ms`)), silentMs)
  }
  heard()
  return { heard, pause }
}

/** Lines that ended. What follows the last line end did not arrive whole, and is nothing. */
async function* linesOf(response: Response, heard: () => void): AsyncGenerator<string> {
  if (response.body === null) return
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      heard()
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n')
      rest = lines.pop() as string
      yield* lines
    }
  } finally {
    // Left early: nobody reads the rest.
    await reader.cancel().catch(() => {})
  }
}
