import type { TimedAnswer, TimedClient } from '../measure/timed-get.ts'
import type { History } from './reports-platform.ts'

const ATTEMPTS = 10

/**
 * A report that is read from the replica now, because what was kept is forgotten first. An instance may keep the answer
 * before this one only after it was forgotten; then it is asked once more.
 *
 * @throws {Error} when it always comes from elsewhere
 */
export async function getUncached(history: History, client: TimedClient, path: string): Promise<TimedAnswer> {
  let source: string | undefined
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await history.forget()
    const answer = await client.get(path)
    source = /^\{"source":"(\w+)"/.exec(answer.body)?.[1]
    if (source === 'replica') return answer
  }
  throw new Error(`a report that was to be read from the replica came from the ${source} ${ATTEMPTS} times`)
}
