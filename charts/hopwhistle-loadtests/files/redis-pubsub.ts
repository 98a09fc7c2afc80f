/**
 * Live delivery: subscribers to `call.*` over WebSockets, publishers that post call events, every event due at every
 * subscriber: 500 a second to 200 subscribers are 100,000 deliveries a second.
 *
 * Latency is from the publisher's `Date.now()` just before it posts to the subscriber's when its handler runs: whole
 * milliseconds, of one clock where k6 is one machine, and else as good as the machines' clocks agree.
 *
 *   k6 run --env WS_URL=ws://localhost:3001 --env API_URL=http://localhost:3001 --env API_KEY=test-api-key \
 *     --env TENANT_ID=00000000-0000-0000-0000-000000000000 --env PUBLISHER_VUS=10 --env MESSAGES_PER_SECOND=500 \
 *     redis-pubsub.ts
 */
import exec from 'k6/execution'
import type { Options } from 'k6/options'
import { bucketThresholds } from './lib.bucket-names.ts'
import { finish, keepComplete } from './lib.k6.finish.ts'
import { liveCounters, liveHistograms, liveMeter } from './lib.k6.live-meter.ts'
import { publishAll } from './lib.k6.publisher.ts'
import { begin, COMMON_OPTIONS, type RunContext } from './lib.k6.run-context.ts'
import { subscribeAll } from './lib.k6.subscriber-group.ts'
import { liveScenarios } from './lib.live-scenarios.ts'
import { livePhases } from './lib.phases.ts'
import { readSettings } from './lib.settings.ts'
import { thresholdsOf } from './lib.thresholds.ts'

const settings = readSettings(__ENV, 'redis-pubsub')
keepComplete(settings)
const { shape } = settings
const phases = livePhases(shape)
const meter = liveMeter()

export const options: Options = {
  ...COMMON_OPTIONS,
  scenarios: liveScenarios(shape),
  // Idle connections kept by each VU; a publisher has more than one post under way.
  batchPerHost: 20,
  // k6 reads the options of its first VU only: the others need not build this table.
  thresholds: __VU === 0 ? { ...bucketThresholds(liveHistograms()), ...thresholdsOf(settings) } : {},
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

export const handleSummary = (data: Parameters<typeof finish>[1]) =>
  finish(settings, data, {
    phases,
    counters: liveCounters(),
    trends: ['publish_latency_peak', 'delivery_latency_peak'],
  })
