import { describe, expect, test } from 'vitest'
import type { K6Result, RunnerResult } from '../../results-format.ts'
import { histogramCount } from '../../scenarios/lib/histogram.ts'
import { k6Path, resultOf, runK6, runSegments, withK6 } from './k6.ts'
import { liveServer, type Misbehaviour } from './live-server.ts'
import { schemaErrors } from './schema.ts'

const SUBSCRIBERS = 24
const SHAPE = {
  PROFILE: 'smoke',
  SUBSCRIBERS: String(SUBSCRIBERS),
  PUBLISHER_VUS: '4',
  MESSAGES_PER_SECOND: '100',
  RAMP_SECONDS: '1',
  PEAK_SECONDS: '3',
}
/** 101 a second: half as many on average during the ramp. */
const PLANNED = 353

describe.skipIf(k6Path === undefined).concurrent(`live delivery measured by k6${withK6}`, () => {
  test('a faithful server delivers everything due, and every delivery is timed', async () => {
    const { counters, histograms, settings } = await measure({})
    expect(counters).toMatchObject({
      messages_due: PLANNED * SUBSCRIBERS,
      messages_delivered: PLANNED * SUBSCRIBERS,
      messages_lost: 0,
      messages_duplicated: 0,
      messages_reordered: 0,
      messages_mismatched: 0,
      frames_malformed: 0,
      subscribers_connected: SUBSCRIBERS,
      subscribers_failed: 0,
    })
    const timed = ['ramp', 'peak'].map((phase) => histogramCount(histograms[`delivery_latency_${phase}`]!))
    expect(timed[0]! + timed[1]!).toBe(PLANNED * SUBSCRIBERS)
    expect(settings.phases.map(({ name }) => name)).toEqual(['ramp', 'peak', 'cool'])
  }, 60_000)

  test.each([10, 100])(
    'of %i tenants each has its own messages and subscribers, and each message is due to those of its tenant',
    async (tenants) => {
      const { counters, settings } = await measure({}, { TENANTS: String(tenants) })
      expect(settings.tenants).toBe(tenants)
      expect(counters.messages_published_ramp! + counters.messages_published_peak!).toBe(PLANNED)
      expect(counters).toMatchObject({
        messages_delivered: counters.messages_due,
        messages_lost: 0,
        messages_foreign: 0,
        messages_mismatched: 0,
        subscribers_connected: SUBSCRIBERS,
      })
      // 24 subscribers over the tenants: each message has 24 / tenants on average.
      const mean = (PLANNED * SUBSCRIBERS) / tenants
      expect(counters.messages_due).toBeGreaterThan(0.8 * mean)
      expect(counters.messages_due).toBeLessThan(1.25 * mean)
    },
    60_000,
  )

  test('messages of others are neither due nor delivered', async () => {
    const { counters } = await measure({ foreign: 2 })
    expect(counters.messages_delivered).toBe(PLANNED * SUBSCRIBERS)
    expect(counters.messages_due).toBe(PLANNED * SUBSCRIBERS)
    expect(counters.messages_foreign).toBeGreaterThan(2 * PLANNED * SUBSCRIBERS * 0.9)
    expect(counters.messages_lost).toBe(0)
  }, 60_000)

  test('a subscriber that is cut off asks for what it missed, and has everything in the end', async () => {
    const { counters } = await measure({ cutEvery: 40 })
    expect(counters.subscribers_reconnected).toBeGreaterThan(3)
    expect(counters.messages_delivered).toBe(PLANNED * SUBSCRIBERS)
    expect(counters.messages_lost).toBe(0)
  }, 60_000)

  test('what is lost is missing in the deliveries and counted as lost', async () => {
    const { counters } = await measure({ loseEvery: 100 })
    expect(counters.messages_lost).toBeGreaterThan(0)
    expect(counters.messages_due! - counters.messages_delivered!).toBe(counters.messages_lost)
  }, 60_000)

  test('what comes twice is a duplicate and no delivery', async () => {
    const { counters } = await measure({ repeatEvery: 10 })
    expect(counters.messages_duplicated).toBeGreaterThan(0)
    expect(counters.messages_delivered).toBe(PLANNED * SUBSCRIBERS)
  }, 60_000)

  test('a post whose answer was lost is repeated, and its message is due and delivered once', async () => {
    const { counters } = await measure({ failEvery: 20 })
    expect(counters.publish_retried_peak).toBeGreaterThan(5)
    expect(counters.publish_failed_peak).toBe(0)
    expect(counters.messages_due).toBe(PLANNED * SUBSCRIBERS)
    expect(counters.messages_delivered).toBe(PLANNED * SUBSCRIBERS)
  }, 60_000)

  test('counts of two runners add up, each with its share of publishers and subscribers', async () => {
    const server = await liveServer()
    const runs = await runSegments('redis-pubsub.ts', { ...SHAPE, API_URL: server.url, RUN_ID: 'two' }, 2)
    await server.close()
    const files = ['redis-pubsub-0-1_2.json', 'redis-pubsub-1_2-1.json']
    const results = await Promise.all(runs.map((run, i) => resultOf(run, files[i]!)))
    const counters = results.map(({ runners }) => runners[0]!.counters)
    const sum = (name: string) => counters.reduce((all, one) => all + (one[name] ?? 0), 0)
    expect(counters.map((one) => one.subscribers_connected)).toEqual([12, 12])
    expect(sum('messages_published_ramp') + sum('messages_published_peak')).toBe(PLANNED)
    expect(sum('messages_due')).toBe(PLANNED * SUBSCRIBERS)
    expect(sum('messages_delivered')).toBe(PLANNED * SUBSCRIBERS)
    expect(sum('messages_mismatched')).toBe(0)
  }, 60_000)
})

async function measure(misbehaviour: Misbehaviour, env: Record<string, string> = {}): Promise<RunnerResult> {
  const server = await liveServer(misbehaviour)
  const run = await runK6('redis-pubsub.ts', { ...SHAPE, ...env, API_URL: server.url })
  await server.close()
  const result: K6Result = await resultOf(run, 'redis-pubsub.json')
  expect(schemaErrors(result)).toEqual([])
  return result.runners[0]!
}
