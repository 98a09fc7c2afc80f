import type { FastifyBaseLogger } from 'fastify'

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/**
 * The log of one request, made when it is first written to. Most requests write nothing, and pino's own child, with
 * its redaction, is 2 % of the profile of taking an event.
 */
class LazyLog {
  readonly #make: () => FastifyBaseLogger
  #made: FastifyBaseLogger | undefined

  constructor(make: () => FastifyBaseLogger) {
    this.#make = make
  }

  own(): FastifyBaseLogger {
    this.#made ??= this.#make()
    return this.#made
  }
}

for (const name of [...LEVELS, 'child'] as const) {
  Object.defineProperty(LazyLog.prototype, name, {
    value(this: LazyLog, ...args: unknown[]): unknown {
      const own = this.own()
      return (own[name] as (...args: unknown[]) => unknown).apply(own, args)
    },
  })
}
Object.defineProperty(LazyLog.prototype, 'level', {
  get(this: LazyLog): string {
    return this.own().level
  },
})

/** @param make called at most once, with the first line */
export const lazyLog = (make: () => FastifyBaseLogger): FastifyBaseLogger =>
  new LazyLog(make) as unknown as FastifyBaseLogger
