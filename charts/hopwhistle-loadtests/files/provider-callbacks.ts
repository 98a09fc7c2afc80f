/**
 * Callbacks of providers: status callbacks as Twilio signs and sends them, and call detail records of a switch with an
 * API key, in equal shares. An open model: the rate does not yield to slow answers.
 *
 *   k6 run --env API_URL=http://localhost:3001 --env API_KEY=test-api-key provider-callbacks.ts
 */
import type { Options } from 'k6/options'
import { bucketThresholds } from './lib.bucket-names.ts'
import { CALLBACK_COUNTERS, CALLBACK_HISTOGRAMS, callbackPoster } from './lib.k6.callback-poster.ts'
import { finish, keepComplete } from './lib.k6.finish.ts'
import { requestCounters } from './lib.k6.request-meter.ts'
import { begin, COMMON_OPTIONS, type RunContext } from './lib.k6.run-context.ts'
import { peakFrom, requestPhases } from './lib.phases.ts'
import { requestScenario } from './lib.request-scenario.ts'
import { readSettings } from './lib.settings.ts'
import { thresholdsOf } from './lib.thresholds.ts'

const settings = readSettings(__ENV, 'provider-callbacks')
keepComplete(settings)
const phases = requestPhases(settings.shape)
const { checkCallback, postNext } = callbackPoster(settings, __ENV, peakFrom(phases))

export const options: Options = {
  ...COMMON_OPTIONS,
  scenarios: { callbacks: requestScenario(settings.shape, settings.offeredPerSecond) },
  // k6 reads the options of its first VU only: the others need not build this table.
  thresholds: __VU === 0 ? { ...bucketThresholds(CALLBACK_HISTOGRAMS), ...thresholdsOf(settings) } : {},
}

export function setup(): RunContext {
  const run = begin(settings)
  checkCallback()
  return run
}

export default function post(run: RunContext): void {
  postNext(run)
}

export const handleSummary = (data: Parameters<typeof finish>[1]) =>
  finish(settings, data, {
    phases,
    counters: [...requestCounters('updates'), ...CALLBACK_COUNTERS],
    trends: ['update_latency_peak'],
  })
