/**
 * Makes an API of any version slower: loaded into its process before its own code (`node --import`), so that nothing of
 * it has to be changed.
 *
 *   SLOW_EVENTS_US=22       each request that posts events first spins for 22 microseconds
 *   SLOW_REPORTS_MS=4       a report begins 4 milliseconds later …
 *   SLOW_REPORTS_EVERY=33   … one in 33, at random
 */

import type { IncomingMessage } from 'node:http'
import { Server } from 'node:http'

const { env } = process
const eventsMs = Number(env.SLOW_EVENTS_US ?? 0) / 1000
const reportsMs = Number(env.SLOW_REPORTS_MS ?? 0)
const reportsEvery = Number(env.SLOW_REPORTS_EVERY ?? 1)

const emit: (this: Server, name: string, ...args: readonly unknown[]) => boolean = Server.prototype.emit
Server.prototype.emit = function slowed(this: Server, name: string, ...args: readonly unknown[]): boolean {
  if (name !== 'request') return emit.call(this, name, ...args)
  const { method, url = '' } = args[0] as IncomingMessage
  if (method === 'POST' && url.startsWith('/api/v1/events')) spin(eventsMs)
  if (url.startsWith('/api/v1/reporting') && reportsMs > 0 && Math.random() * reportsEvery < 1) {
    setTimeout(() => emit.call(this, name, ...args), reportsMs)
    return true
  }
  return emit.call(this, name, ...args)
}

function spin(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}
