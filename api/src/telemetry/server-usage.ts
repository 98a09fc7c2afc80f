import type { LimitName } from '@hopwhistle/contract/limits.ts'

type Usage = Partial<Record<LimitName, number>>
export type ServerUsage = {
  /** What was last read; undefined while the server does not answer. */
  of(resource: LimitName): number | undefined
  stop(): void
}

const EVERY_MS = 2_000

/**
 * Reads every few seconds how much of the limits of the servers behind us is used, so that a scrape waits for none.
 *
 * @param sources each reads one server and may fail; what it had said is forgotten then
 */
export function watchServerUsage(sources: readonly (() => Promise<Usage>)[]): ServerUsage {
  const latest: Usage[] = sources.map(() => ({}))
  const readAll = () =>
    sources.forEach((read, i) => {
      read().then(
        (usage) => {
          latest[i] = usage
        },
        () => {
          latest[i] = {}
        },
      )
    })
  readAll()
  const timer = setInterval(readAll, EVERY_MS)
  timer.unref()
  return {
    of: (resource) => latest.find((usage) => usage[resource] !== undefined)?.[resource],
    stop: () => clearInterval(timer),
  }
}
