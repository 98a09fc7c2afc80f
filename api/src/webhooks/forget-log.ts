import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { type Repeating, repeat } from '../timing/repeat.ts'
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
  let nextMs = EVERY_MS * Math.random()
  return repeat(
    () => nextMs,
    async () => {
      nextMs = EVERY_MS * (0.75 + Math.random() / 2)
      try {
        if ((await deps.store.forgetLog(deps.keepHours, AT_ONCE)) >= AT_ONCE) nextMs = REST_MS
      } catch (error) {
        deps.metrics.upkeepFailed.inc({ task: 'webhooks' })
        deps.log.warn({ err: error }, 'the log of webhooks was not shortened; it will be')
      }
    },
  )
}
