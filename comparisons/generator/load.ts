/** A load and its result. */
import type { Latency } from '../arithmetic.ts'
import type { RequestPlan } from './requests.ts'

export type GeneratorConfig = {
  /** Ports of the instances on this machine that share the load. */
  readonly ports: readonly number[]
  /** They stay open; each instance has the same number. */
  readonly connections: number
  readonly plan: RequestPlan
}

/**
 * closed  every connection sends its next request when it has the last answer: measures the highest throughput
 * open    a fixed rate of evenly spaced requests, however slow the answers; latency counts from when a request was due,
 *         so a slow server cannot hide its latency by making the generator wait
 */
export type Load = {
  readonly seconds: number
  /** How long requests in flight may still take after the end; ten seconds if absent. */
  readonly patienceMs?: number
} & ({ readonly mode: 'closed' } | { readonly mode: 'open'; readonly ratePerSecond: number })

export type LoadResult = {
  /** Numbers of the requests: `first` inclusive, `next` exclusive. */
  readonly first: number
  readonly next: number
  readonly answered: number
  /** Numbers of requests that failed or got no answer. */
  readonly failed: readonly number[]
  /** Count of failures by status, or by the reason for no answer. */
  readonly failures: Readonly<Record<string, number>>
  /** Latency of failed answers, by status. */
  readonly failureLatency: Readonly<Record<string, Latency>>
  readonly seconds: number
  readonly perSecond: number
  readonly latency: Latency
  /** CPU seconds of the generator itself. */
  readonly generatorCpuSeconds: number
}
