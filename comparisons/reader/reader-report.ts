import type { Latency } from '../arithmetic.ts'
import type { LiveSystem } from './protocol.ts'

export type ReaderConfig = {
  readonly system: LiveSystem
  /** Ports of the instances; subscribers are spread over them evenly. */
  readonly ports: readonly number[]
  readonly sockets: number
  /** How many of those read at once and report the age of messages. */
  readonly watched: number
  /** Additional subscribers that never read. */
  readonly slow: number
}

/** Asks for a report; ages that are kept are in the next one as well. */
export type ReaderRequest = { readonly keepAges?: boolean }

export type ReaderReport = {
  /** Messages since the start: of all subscribers, and of the ones that received least and most. */
  readonly received: number
  readonly least: number
  readonly most: number
  /** Subscribers that lost their connection. */
  readonly closed: number
  readonly slowClosed: number
  /** Time from sending to reading a message, for the watched subscribers since the last report. */
  readonly age: Latency | undefined
  /** CPU of all readers together, since the last report. */
  readonly cpuSeconds: number
}
