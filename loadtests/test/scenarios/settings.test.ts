import { expect, test } from 'vitest'
import { SCENARIOS, shapeOf } from '../../../contract/scenarios.ts'
import { livePhases, peakFrom, peakSecondsOf, requestPhases } from '../../scenarios/lib/phases.ts'
import { offeredPerSecond } from '../../scenarios/lib/profiles.ts'
import { readSettings } from '../../scenarios/lib/settings.ts'

test('a run by hand needs no settings at all', () => {
  const settings = readSettings({}, 'call-state-updates')
  expect(settings).toMatchObject({ profile: 'quick', apiUrl: 'http://localhost:3001', parallelism: 1 })
  expect(settings.shape).toMatchObject({ targetPerSecond: 500, vus: 500 })
  expect(readSettings({}, 'redis-pubsub').wsUrl).toBe('ws://localhost:3001')
})

test('the full and the quick profile have the targets as their peaks, and offer 1 % more', () => {
  for (const profile of ['full', 'quick'] as const) {
    expect(shapeOf(profile, 'call-state-updates').targetPerSecond).toBe(
      SCENARIOS['call-state-updates'].targets.updates.ratePerSecond,
    )
    expect(shapeOf(profile, 'reporting-endpoints').targetPerSecond).toBe(
      SCENARIOS['reporting-endpoints'].targets.reports.ratePerSecond,
    )
    expect(shapeOf(profile, 'redis-pubsub')).toMatchObject({ targetPerSecond: 500, subscribers: 200, publishers: 10 })
  }
  expect([500, 100, 30].map(offeredPerSecond)).toEqual([505, 101, 31])
})

test('the full profile has the stages of the baselines: 6, 7 and about 4 minutes', () => {
  const [calls, reports] = [shapeOf('full', 'call-state-updates'), shapeOf('full', 'reporting-endpoints')]
  const live = shapeOf('full', 'redis-pubsub')
  expect(calls.rampSeconds + calls.peakSeconds).toBe(6 * 60)
  expect(reports.rampSeconds + reports.peakSeconds).toBe(7 * 60)
  expect(live.peakSeconds).toBe(3 * 60)
})

test('VUs are multiples of the runners, so that all get the same share', () => {
  const env = { PARALLELISM: '3', RUN_ID: 'r' }
  const { vus, maxVUs } = readSettings(env, 'reporting-endpoints').shape
  expect([vus % 3, maxVUs % 3]).toEqual([0, 0])
  expect(readSettings(env, 'redis-pubsub').shape.subscriberVUs % 3).toBe(0)
})

test('subscribers share 4 VUs, or as many as are set, and never more than there are subscribers', () => {
  const vus = (env: Record<string, string>) => readSettings(env, 'redis-pubsub').shape.subscriberVUs
  expect(vus({})).toBe(4)
  expect(vus({ SUBSCRIBER_VUS: '2' })).toBe(2)
  expect(vus({ SUBSCRIBER_VUS: '20', SUBSCRIBERS: '10' })).toBe(10)
  expect(vus({ SUBSCRIBER_VUS: '2', PARALLELISM: '3', RUN_ID: 'r' }), 'each runner has one').toBe(3)
  expect(() => vus({ SUBSCRIBER_VUS: '0' })).toThrow('SUBSCRIBER_VUS is "0"')
})

test('tenants of their own come with their keys, so none may be given', () => {
  expect(readSettings({ TENANTS: '1000' }, 'call-state-updates').tenants).toBe(1_000)
  expect(() => readSettings({ TENANTS: '2', API_KEY: 'k' }, 'call-state-updates')).toThrow(
    'TENANTS is 2; then API_KEY and TENANT_ID may not be given: each tenant has its own',
  )
  expect(() => readSettings({ TENANTS: '0' }, 'call-state-updates')).toThrow('TENANTS is "0"')
})

test('every wrong setting is reported, with what it is and what it may be', () => {
  const env = { PROFILE: 'foo', SUBSCRIBERS: '0', WS_URL: 'http://x', PARALLELISM: '2', MESSAGES_PER_SECOND: '1.5' }
  const expected = [
    'RUN_ID is missing; with PARALLELISM 2 all runners need the same one',
    'PROFILE is "foo"; it may be full, quick, smoke, soak, breakpoint',
    'SUBSCRIBERS is "0"; it may be a whole number of WebSockets, 1 to 100000',
    'MESSAGES_PER_SECOND is "1.5"; it may be a whole number of messages a second, 1 to 1000000',
    'WS_URL is "http://x"; it may be ws://host:port or wss://host:port',
  ]
  expect(() => readSettings(env, 'redis-pubsub')).toThrow(`redis-pubsub cannot run: ${expected.join('. ')}`)
})

test('phases follow each other without a gap, and what is sent from the peak on belongs to it', () => {
  const spans = livePhases(shapeOf('full', 'redis-pubsub'))
  expect(spans.map(({ name, fromSeconds }) => [name, fromSeconds])).toEqual([
    ['ramp', 10],
    ['peak', 70],
    ['cool', 250],
  ])
  expect(peakFrom(spans)).toBe(70)
  expect(peakSecondsOf(requestPhases(shapeOf('quick', 'call-state-updates')))).toBe(60)
})

test('runners that begin together know which of them they are', () => {
  const env = { PARALLELISM: '3', RUN_ID: 'r', RUNNER_URL: 'http://calls-service-{}:6565' }
  const { together } = readSettings({ ...env, INSTANCE: 'calls-3' }, 'call-state-updates')
  expect(together).toEqual({ url: 'http://calls-service-{}:6565', runner: 3 })
  for (const INSTANCE of ['calls-4', 'calls-0', 'calls', '']) {
    expect(() => readSettings({ ...env, INSTANCE }, 'call-state-updates')).toThrow(
      `INSTANCE is "${INSTANCE}"; with RUNNER_URL it ends in a runner's number, 1 to 3`,
    )
  }
  expect(() => readSettings({ ...env, INSTANCE: 'calls-1', RUNNER_URL: 'http://calls:6565' }, 'mixed-load')).toThrow(
    'RUNNER_URL is "http://calls:6565"; it has {} where a runner\'s number belongs',
  )
})
