/**
 * Reporting endpoints: metrics by the hour, lists of calls and metrics by the day, in equal shares, over ranges, filters
 * and pages that vary. An open model: the rate does not yield to slow answers.
 *
 *   k6 run --env API_URL=http://localhost:3001 --env API_KEY=test-api-key \
 *     --env TENANT_ID=00000000-0000-0000-0000-000000000000 reporting-endpoints.ts
 */
import type { Options } from 'k6/options'
import { bucketThresholds } from './lib/bucket-names.ts'
import { finish, keepComplete } from './lib/k6/finish.ts'
import { REPORT_HISTOGRAMS, reportReader } from './lib/k6/report-reader.ts'
import { requestCounters } from './lib/k6/request-meter.ts'
import { begin, COMMON_OPTIONS, type RunContext } from './lib/k6/run-context.ts'
import { peakFrom, requestPhases } from './lib/phases.ts'
import { requestScenario } from './lib/request-scenario.ts'
import { readSettings } from './lib/settings.ts'
import { thresholdsOf } from './lib/thresholds.ts'

const settings = readSettings(__ENV, 'reporting-endpoints')
keepComplete(settings)
const phases = requestPhases(settings.shape)
const readReport = reportReader(settings, peakFrom(phases))

export const options: Options = {
  ...COMMON_OPTIONS,
  scenarios: { reports: requestScenario(settings.shape, settings.offeredPerSecond) },
  // k6 reads the options of its first VU only: the others need not build this table.
  thresholds: __VU === 0 ? { ...bucketThresholds(REPORT_HISTOGRAMS), ...thresholdsOf(settings) } : {},
}

export const setup = (): RunContext => begin(settings)

export default function report(run: RunContext): void {
  readReport(run)
}

export const handleSummary = (data: Parameters<typeof finish>[1]) =>
  finish(settings, data, { phases, counters: requestCounters('reports'), trends: ['report_latency_peak'] })
