/**
 * Call state updates: every virtual user owns one call after the other and posts its next state in each iteration,
 * INITIATED → RINGING → ANSWERED → COMPLETED. An open model: the rate does not yield to slow answers.
 *
 *   k6 run --env API_URL=http://localhost:3001 --env API_KEY=test-api-key call-state-updates.ts
 */
import type { Options } from 'k6/options'
import { bucketThresholds } from './lib/bucket-names.ts'
import { finish, keepComplete } from './lib/k6/finish.ts'
import { requestCounters } from './lib/k6/request-meter.ts'
import { begin, COMMON_OPTIONS, type RunContext } from './lib/k6/run-context.ts'
import { statePoster, UPDATE_HISTOGRAMS } from './lib/k6/state-poster.ts'
import { peakFrom, requestPhases } from './lib/phases.ts'
import { requestScenario } from './lib/request-scenario.ts'
import { readSettings } from './lib/settings.ts'
import { thresholdsOf } from './lib/thresholds.ts'

const settings = readSettings(__ENV, 'call-state-updates')
keepComplete(settings)
const phases = requestPhases(settings.shape)
const postNextState = statePoster(settings, peakFrom(phases))

export const options: Options = {
  ...COMMON_OPTIONS,
  scenarios: { updates: requestScenario(settings.shape, settings.offeredPerSecond) },
  // k6 reads the options of its first VU only: the others need not build this table.
  thresholds: __VU === 0 ? { ...bucketThresholds(UPDATE_HISTOGRAMS), ...thresholdsOf(settings) } : {},
}

export const setup = (): RunContext => begin(settings)

export default function update(run: RunContext): void {
  postNextState(run)
}

export const handleSummary = (data: Parameters<typeof finish>[1]) =>
  finish(settings, data, { phases, counters: requestCounters('updates'), trends: ['update_latency_peak'] })
