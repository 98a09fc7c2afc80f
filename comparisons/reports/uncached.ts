import type { TimedAnswer, TimedClient } from '../measure/timed-get.ts'
import type { History } from './reports-platform.ts'

/** For a quarter of a second, an instance repeats an answer without checking the cache. */
const PATIENCE_MS = 5_000

/**
 * Requests a report that is read from the replica, after clearing the cache. The instance also keeps answers for a short
 * time: until those expire, the request is repeated without a pause, so that no process goes idle.
 *
 * @throws {Error} when the report never comes from the replica
 */
export async function getUncached(history: History, client: TimedClient, path: string): Promise<TimedAnswer> {
  let source: string | undefined
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; ) {
    await history.forget()
    const answer = await client.get(path)
    source = /^\{"source":"(\w+)"/.exec(answer.body)?.[1]
    if (source === 'replica') return answer
  }
  throw new Error(`a report that was to be read from the replica came from the ${source} for ${PATIENCE_MS / 1000} s`)
}
