/**
 * The subscribers of `redis-pubsub.ts` alone, for `loadtests/test/live/k6.bench.ts`: somebody else publishes.
 *
 * READERS=none opens the same sockets with a handler that does nothing: what k6 itself costs.
 */
import exec from 'k6/execution'
import type { Options } from 'k6/options'
import { WebSocket } from 'k6/websockets'
import { LIVE_PATTERN_ALL } from '../../../contract/live.ts'
import { ROUTES } from '../../../contract/routes.ts'
import { bucketThresholds } from '../lib/bucket-names.ts'
import { liveHistograms, liveMeter } from '../lib/k6/live-meter.ts'
import { COMMON_OPTIONS } from '../lib/k6/run-context.ts'
import { sleepMs } from '../lib/k6/sleep-ms.ts'
import { subscribeAll } from '../lib/k6/subscriber-group.ts'
import { SUBPROTOCOL } from '../lib/k6/subscriber-socket.ts'
import { liveScenarios } from '../lib/live-scenarios.ts'
import { livePhases } from '../lib/phases.ts'
import { requestHeaders } from '../lib/request-headers.ts'
import { readSettings } from '../lib/settings.ts'
import { subscribersOf } from '../lib/subscriber-share.ts'

const { READERS, SUBSCRIBER_VUS, RUN_ID, ...env } = __ENV
const given = readSettings({ ...env, RUN_ID }, 'redis-pubsub')
// On a busy machine the last frames may take long: they are waited for, and end the test as soon as they are there.
const shape = { ...given.shape, subscriberVUs: Number(SUBSCRIBER_VUS), drainSeconds: 60 }
const settings = { ...given, shape }
const phases = livePhases(shape)
const meter = liveMeter()

export const options: Options = {
  ...COMMON_OPTIONS,
  scenarios: {
    subscribers: { ...liveScenarios(shape).subscribers, exec: READERS === 'none' ? 'listen' : 'subscribe' },
  },
  // The scenario itself has these, and they are a part of what a sample costs.
  thresholds: __VU === 0 ? bucketThresholds(liveHistograms()) : {},
}

export function subscribe(): Promise<void> {
  const { iterationInTest: index, startTime: beganAt } = exec.scenario
  return subscribeAll({ settings, meter, phases, run: { runId: RUN_ID ?? '', startedAt: beganAt }, index, beganAt })
}

export async function listen(): Promise<void> {
  const { iterationInTest: index, startTime: beganAt } = exec.scenario
  const sockets: WebSocket[] = []
  for (let i = subscribersOf(index, shape).length; i > 0; i--) {
    const params = { headers: requestHeaders(settings), tags: { name: ROUTES.live } }
    const socket = new WebSocket(`${settings.wsUrl}${ROUTES.live}`, SUBPROTOCOL, params)
    socket.onopen = () => socket.send(JSON.stringify({ type: 'subscribe', patterns: [LIVE_PATTERN_ALL] }))
    socket.onmessage = () => {}
    sockets.push(socket)
  }
  const coolAt = phases.find(({ name }) => name === 'cool')?.fromSeconds ?? 0
  await sleepMs(beganAt + coolAt * 1000 - Date.now())
  for (const socket of sockets) socket.close()
}

/** Only the counters: `k6.bench.ts` looks at whether everything was counted. */
export function handleSummary({ metrics }: { metrics: Record<string, { values: { count?: number } }> }) {
  const plain = Object.entries(metrics).filter(([name]) => !name.startsWith('hb_'))
  const counters = Object.fromEntries(plain.map(([name, { values }]) => [name, values.count ?? 0]))
  const timed = Object.entries(metrics)
    .filter(([name]) => /^hb_delivery_latency_[a-z]+_\d+$/.test(name))
    .reduce((sum, [, { values }]) => sum + (values.count ?? 0), 0)
  return { stdout: `${JSON.stringify({ ...counters, timed })}\n` }
}
