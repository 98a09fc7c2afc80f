import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { about, type Repeating, repeat } from '../timing/repeat.ts'
import type { WebhookStore } from './store.ts'

const EVERY_MS = 60_000
const AT_ONCE = 2_000
const REST_MS = 100

/**
 * Deletes what is too old of the log, a portion at a time. Also where webhooks are off: they may have been on before. Any
 * number of instances may do it.
 */
export function startForgettingLog(deps: {
  readonly store: Pick<WebhookStore, 'forgetLog'>
  readonly keepHours: number
  readonly metrics: Pick<Metrics, 'upkeepFailed'>
  readonly log: Log
}): Repeating {
  return repeat(async () => {
    try {
      if ((await deps.store.forgetLog(deps.keepHours, AT_ONCE)) >= AT_ONCE) return REST_MS
    } catch (error) {
      deps.metrics.upkeepFailed.inc({ task: 'webhooks' })
      deps.log.warn({ err: error }, 'the log of webhooks was not shortened; it will be')
    }
    return about(EVERY_MS)
  }, EVERY_MS * Math.random())
}
