import type { Latency } from '../measure/arithmetic.ts'
import type { LiveSystem } from './protocol.ts'

export type ReaderConfig = {
  readonly system: LiveSystem
  /** Of the instances; subscribers are spread over them evenly. */
  readonly ports: readonly number[]
  readonly sockets: number
  /** Of those: read at once, and tell how old what they read is. */
  readonly watched: number
  /** Beside those: subscribe and never read. */
  readonly slow: number
}

/** Asks for a report; ages that are kept are in the next one as well. */
export type ReaderRequest = { readonly keepAges?: boolean }

export type ReaderReport = {
  /** Messages of all subscribers since the start, and of those that received least and most. */
  readonly received: number
  readonly least: number
  readonly most: number
  /** Subscribers that lost their connection. */
  readonly closed: number
  readonly slowClosed: number
  /** From when a message was sent until it was read, by the watched ones since the last report. */
  readonly age: Latency | undefined
  /** Of all the readers together, since the last report. */
  readonly cpuSeconds: number
}
