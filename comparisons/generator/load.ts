/** What a load is and what came of it. */
import type { Latency } from '../measure/arithmetic.ts'
import type { RequestPlan } from './requests.ts'

export type GeneratorConfig = {
  /** Of the instances that share the load, on this machine. */
  readonly ports: readonly number[]
  /** Kept open; an equal number to each instance. */
  readonly connections: number
  readonly plan: RequestPlan
}

/**
 * closed  every connection sends its next request when it has the answer to the last one: the most that the server does
 * open    so many requests a second, evenly spaced, whatever the server does; latency counts from when a request was
 *         due, so that a slow server cannot hide by keeping the generator waiting
 */
export type Load = {
  readonly seconds: number
  /** How long what is under way then may still take; ten seconds if absent. */
  readonly patienceMs?: number
} & ({ readonly mode: 'closed' } | { readonly mode: 'open'; readonly ratePerSecond: number })

export type LoadResult = {
  /** Numbers of the requests: from the first until before the next. */
  readonly first: number
  readonly next: number
  readonly answered: number
  /** Numbers of requests whose answer was not a success, or never came. */
  readonly failed: readonly number[]
  /** How many of those had each status, or each cause that no answer came. */
  readonly failures: Readonly<Record<string, number>>
  /** Of the answers with each status that is not a success. */
  readonly failureLatency: Readonly<Record<string, Latency>>
  readonly seconds: number
  readonly perSecond: number
  readonly latency: Latency
  /** CPU seconds that the generator itself took. */
  readonly generatorCpuSeconds: number
}
