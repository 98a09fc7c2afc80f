/**
 * How long work that is ready waits for the event loop.
 *
 * Each turn of the loop is measured as it happens. prom-client measures how late a timer of 10 ms is, and that timer
 * wakes an idle instance a hundred times a second: a quarter of all that an idle instance cost.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client'
import { steady } from './recent.ts'

const OF_PROM_CLIENT = /^nodejs_eventloop_lag_/
/** For a timer that must not fire. */
const NEVER_MS = 2 ** 31 - 1

/** prom-client's metrics of the process, with this measure of the event loop instead of its own. */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS })
  for (const { name } of registry.getMetricsAsArray()) if (OF_PROM_CLIENT.test(name)) registry.removeSingleMetric(name)

  const turns = monitorEventLoopDelay({ samplePerIteration: true })
  turns.enable()
  let sinceMs = performance.now()
  const lagSeconds = steady(() => {
    const nowMs = performance.now()
    const seconds = busyForMs(turns.percentiles, turns.count, nowMs - sinceMs) / 1000
    sinceMs = nowMs
    turns.reset()
    return seconds
  })
  new Gauge({
    name: 'nodejs_eventloop_lag_p99_seconds',
    help: 'In the last 5 s or more, the loop was busy for longer than this, without a pause, in 1 % of the time',
    registers: [registry],
    collect() {
      this.set(lagSeconds())
    },
  })
}

/**
 * The 99th percentile over time, not over turns: a turn that is a hundred times as long is a hundred times as likely
 * to be met by a request.
 *
 * @param percentiles of the turns' lengths, in nanoseconds
 * @param elapsedMs in which those turns were
 * @returns 0 when the loop was busy for less than 1 % of the time
 */
export function busyForMs(percentiles: ReadonlyMap<number, number>, turns: number, elapsedMs: number): number {
  const fromLongest = [...percentiles].sort(([a], [b]) => b - a)
  let timeInLongerMs = 0
  for (const [i, [percentile, lengthNs]] of fromLongest.entries()) {
    const lengthMs = lengthNs / 1e6
    const share = (percentile - (fromLongest[i + 1]?.[0] ?? 0)) / 100
    timeInLongerMs += turns * share * lengthMs
    if (timeInLongerMs > elapsedMs / 100) return lengthMs
  }
  return 0
}
