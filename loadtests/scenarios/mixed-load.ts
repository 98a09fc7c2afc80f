/**
 * Mixed load: call events, their live delivery and reports at the same time, as a platform in use has them. Publishers
 * post events, every event is due at every subscriber, and reports are read beside them. Open models: no rate yields
 * to slow answers.
 *
 *   k6 run --env API_URL=http://localhost:3001 --env API_KEY=test-api-key \
 *     --env TENANT_ID=00000000-0000-0000-0000-000000000000 mixed-load.ts
 */
import exec from 'k6/execution'
import type { Options } from 'k6/options'
import { rateOf } from '../../contract/scenarios.ts'
import { bucketThresholds } from './lib/bucket-names.ts'
import { finish, keepComplete } from './lib/k6/finish.ts'
import { liveCounters, liveHistograms, liveMeter } from './lib/k6/live-meter.ts'
import { publishAll } from './lib/k6/publisher.ts'
import { REPORT_HISTOGRAMS, reportReader } from './lib/k6/report-reader.ts'
import { requestCounters } from './lib/k6/request-meter.ts'
import { begin, COMMON_OPTIONS, type RunContext } from './lib/k6/run-context.ts'
import { subscribeAll } from './lib/k6/subscriber-group.ts'
import { liveScenarios } from './lib/live-scenarios.ts'
import { livePhases } from './lib/phases.ts'
import { offeredPerSecond } from './lib/profiles.ts'
import { requestScenario } from './lib/request-scenario.ts'
import { readSettings } from './lib/settings.ts'
import { thresholdsOf } from './lib/thresholds.ts'

const settings = readSettings(__ENV, 'mixed-load')
keepComplete(settings)
const { shape } = settings
const phases = livePhases(shape)
const meter = liveMeter()
const readReport = reportReader(settings, shape.rampSeconds)
const reportsPerSecond = offeredPerSecond(rateOf('mixed-load', 'reports', shape.targetPerSecond))

export const options: Options = {
  ...COMMON_OPTIONS,
  scenarios: {
    ...liveScenarios(shape),
    // With the publishers: the phases of both are the same.
    reports: {
      ...requestScenario(shape, reportsPerSecond),
      exec: 'report',
      startTime: `${shape.connectSeconds}s`,
    },
  },
  // Idle connections kept by each VU; a publisher has more than one post under way.
  batchPerHost: 20,
  // k6 reads the options of its first VU only: the others need not build this table.
  thresholds:
    __VU === 0 ? { ...bucketThresholds([...liveHistograms(), ...REPORT_HISTOGRAMS]), ...thresholdsOf(settings) } : {},
}

export const setup = (): RunContext => begin(settings)

export function subscribe(run: RunContext): Promise<void> {
  const { iterationInTest: index, startTime: beganAt } = exec.scenario
  return subscribeAll({ settings, meter, phases, run, index, beganAt })
}

export function publish(run: RunContext): Promise<void> {
  const { iterationInTest: index, startTime: beginsAt } = exec.scenario
  return publishAll({ settings, meter, run, index, beginsAt })
}

export function report(run: RunContext): void {
  readReport(run)
}

export const handleSummary = (data: Parameters<typeof finish>[1]) =>
  finish(settings, data, {
    phases,
    counters: [...liveCounters(), ...requestCounters('reports')],
    trends: ['publish_latency_peak', 'delivery_latency_peak', 'report_latency_peak'],
  })
