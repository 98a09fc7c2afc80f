import type { LimitName } from '@hopwhistle/contract/limits.ts'
import { withinMs } from '../timing/within-ms.ts'

type Usage = Partial<Record<LimitName, number>>
export type ServerUsage = {
  /** Asks every server, and waits for so long that a scrape is not late. Never rejects. */
  read(): Promise<void>
  /** What was last read; undefined when the server did not answer in time. */
  of(resource: LimitName): number | undefined
}

const ANSWER_WITHIN_MS = 500

/**
 * How much is used of the limits of the servers behind us. They are asked when somebody wants to know, which is once a
 * scrape: a timer would wake an idle instance and both servers although no one reads the figures.
 *
 * @param sources each reads one server and may fail; it is not asked again before it has answered
 */
export function createServerUsage(
  sources: readonly (() => Promise<Usage>)[],
  answerWithinMs = ANSWER_WITHIN_MS,
): ServerUsage {
  const servers = sources.map((ask) => ({ ask, asked: undefined as Promise<Usage> | undefined, latest: {} as Usage }))
  return {
    read: async () => {
      await Promise.all(
        servers.map(async (server) => {
          server.asked ??= server.ask().finally(() => {
            server.asked = undefined
          })
          const usage = await withinMs(server.asked, answerWithinMs)
          server.latest = usage === 'late' ? {} : usage
        }),
      )
    },
    of: (resource) => servers.find(({ latest }) => latest[resource] !== undefined)?.latest[resource],
  }
}
