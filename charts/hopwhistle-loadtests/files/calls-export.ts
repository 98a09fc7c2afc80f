/**
 * Exports and the feed of changes, while calls change: events are posted as in call-state-updates, readers poll the feed
 * of changes over and over, and calls and metrics are exported as CSV and NDJSON, each going on where the one before
 * ended. Open models: no rate yields to slow answers.
 *
 *   k6 run --env API_URL=http://localhost:3001 --env API_KEY=test-api-key \
 *     --env TENANT_ID=00000000-0000-0000-0000-000000000000 calls-export.ts
 */
import type { Options } from 'k6/options'
import { rateOf } from './contract.scenarios.ts'
import { bucketThresholds } from './lib.bucket-names.ts'
import { EXPORT_COUNTERS, EXPORT_HISTOGRAMS, exportReader } from './lib.k6.export-reader.ts'
import { finish, keepComplete } from './lib.k6.finish.ts'
import { requestCounters } from './lib.k6.request-meter.ts'
import { begin, COMMON_OPTIONS, type RunContext } from './lib.k6.run-context.ts'
import { statePoster, UPDATE_HISTOGRAMS } from './lib.k6.state-poster.ts'
import { peakFrom, requestPhases } from './lib.phases.ts'
import { offeredPerSecond } from './lib.profiles.ts'
import { requestScenario } from './lib.request-scenario.ts'
import { readSettings } from './lib.settings.ts'
import { thresholdsOf } from './lib.thresholds.ts'

const settings = readSettings(__ENV, 'calls-export')
keepComplete(settings)
const { shape } = settings
const phases = requestPhases(shape)
const postNextState = statePoster(settings, peakFrom(phases))
const readNext = exportReader(settings, peakFrom(phases))
const reportsPerSecond = offeredPerSecond(rateOf('calls-export', 'reports', shape.targetPerSecond))

export const options: Options = {
  ...COMMON_OPTIONS,
  scenarios: {
    updates: { ...requestScenario(shape, settings.offeredPerSecond), exec: 'update' },
    reports: { ...requestScenario(shape, reportsPerSecond), exec: 'read' },
  },
  // k6 reads the options of its first VU only: the others need not build this table.
  thresholds:
    __VU === 0 ? { ...bucketThresholds([...UPDATE_HISTOGRAMS, ...EXPORT_HISTOGRAMS]), ...thresholdsOf(settings) } : {},
}

export const setup = (): RunContext => begin(settings)

export function update(run: RunContext): void {
  postNextState(run)
}

export function read(run: RunContext): void {
  readNext(run)
}

export const handleSummary = (data: Parameters<typeof finish>[1]) =>
  finish(settings, data, {
    phases,
    counters: [...requestCounters('updates'), ...requestCounters('reports'), ...EXPORT_COUNTERS],
    trends: ['update_latency_peak', 'report_latency_peak'],
  })
