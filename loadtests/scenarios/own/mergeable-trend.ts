/**
 * A Trend of k6 whose percentiles can be merged over runners: import it instead of that of `k6/metrics`.
 *
 *   import { Trend } from '…/loadtests/scenarios/own/mergeable-trend.ts'
 *   const checkout = new Trend('checkout_duration', true)
 *
 * Each value is also counted in buckets of 1 %, for values from 0.02 to 130,000. Without `bench` it is the Trend of k6.
 */
import exec from 'k6/execution'
import { Trend as K6Trend } from 'k6/metrics'
import { bucketRecorder } from '../lib/k6/bucket-recorder.ts'
import { JUDGED_TAG } from './plan.ts'

/** The names of all mergeable trends of this virtual user. */
export const mergeableTrends: string[] = []

export class Trend {
  readonly #trend: K6Trend
  readonly #record: (value: number) => void

  constructor(name: string, isTime?: boolean) {
    this.#trend = new K6Trend(name, isTime)
    this.#record = recorderByPart(name)
    mergeableTrends.push(name)
  }

  get name(): string {
    return this.#trend.name
  }

  add(value: number, tags?: Record<string, string>): void {
    this.#trend.add(value, tags)
    this.#record(value)
  }
}

/** Counts in buckets, apart from each other: what the judged part of the run began, and what came before or after it. */
export function recorderByPart(name: string): (value: number) => void {
  const [judged, others] = [bucketRecorder(`${name}_peak`), bucketRecorder(`${name}_ramp`)]
  return (value) => (exec.vu.metrics.tags[JUDGED_TAG] === 'no' ? others : judged).record(value)
}
