/** What becomes of a run that did not reach its targets when steps at smaller rates were made after it. */
import { SCENARIO_NAMES } from '@hopwhistle/contract/scenarios.ts'
import { describe, expect, test } from 'vitest'
import type { LoadtestResult } from '../../bench/evidence/loadtest-result.ts'
import { measuredWithUnit } from '../../bench/evidence/metric-text.ts'
import { exitCodeOf } from '../../bench/judge/exit-code.ts'
import { judge } from '../../bench/judge/judge.ts'
import { type ResultOptions, resultWith, withCounters } from '../fixtures/result-with.ts'
import { processWith, serverWith } from '../fixtures/server-with.ts'

const dropped = withCounters({ k6_dropped_iterations: 40 })
const busy = serverWith({
  cpuIdle: 0,
  processes: [processWith('k6', 'k6', 1.1), processWith('api-1', 'api', 0.8), processWith('redis', 'redis', 0.02)],
})
/** A step as it is kept: the environment is that of its run. */
function step(stepPerSecond: number, options: ResultOptions = {}): LoadtestResult {
  const { environment: _, ...kept } = resultWith({ ...options, stepPerSecond })
  return kept
}
const held = (rate: number, options: ResultOptions = {}) => step(rate, options)
const slow = (rate: number, options: ResultOptions = {}) => step(rate, { ...options, slowness: 9 })
const invalid = (rate: number) => step(rate, { runner: dropped })
const after = (result: LoadtestResult, ...steps: LoadtestResult[]) => judge({ ...result, steps })

describe('a load that is missed', () => {
  test('shows the largest rate that held in the row of the rate, and what ran out at the next', () => {
    const verdict = after(
      resultWith({ slowness: 9 }),
      held(250),
      slow(375, { server: busy }),
      held(310),
      slow(340, { server: busy }),
    )
    expect(verdict.outcome).toBe('missed')
    expect(verdict.metrics[0]).toMatchObject({ name: 'rate', measured: 310, carried: true, status: 'missed' })
    expect(verdict.carried).toMatchObject({
      ratePerSecond: 310,
      limitedAtPerSecond: 340,
      limitedBy: '2.00 of 2 cores in use on average: k6 1.10 and the API 0.80',
      steps: [
        { ratePerSecond: 250, outcome: 'met' },
        { ratePerSecond: 375, outcome: 'invalid' },
        { ratePerSecond: 310, outcome: 'met' },
        { ratePerSecond: 340, outcome: 'invalid' },
      ],
    })
    expect(verdict.carried?.metrics.map(({ status }) => status)).toEqual(['met', 'met', 'met', 'met'])
    expect(verdict.reasons[0]?.text).toBe(
      '310 updates/s are carried; at 340 updates/s: 2.00 of 2 cores in use on average: k6 1.10 and the API 0.80',
    )
  })

  test('keeps the figures of the full load in the other rows', () => {
    const whole = judge(resultWith({ slowness: 9 }))
    const verdict = after(resultWith({ slowness: 9 }), held(250))
    expect(verdict.metrics.slice(1)).toEqual(whole.metrics.slice(1))
  })

  test('says what was missed where nothing ran out', () => {
    expect(after(resultWith({ slowness: 9 }), held(250), slow(375)).carried?.limitedBy).toMatch(
      /^p95 latency is \d+ ms; the target is <300 ms$/,
    )
  })

  test('names the full load as the limit where every step held', () => {
    const carried = after(resultWith({ slowness: 9, server: busy }), held(250), held(480)).carried
    expect(carried).toMatchObject({ ratePerSecond: 480, limitedAtPerSecond: 500 })
    expect(carried?.limitedBy).toContain('k6 1.10')
  })

  test('carries nothing where every step is missed, and is still missed', () => {
    const verdict = after(resultWith({ slowness: 9 }), slow(250), slow(60))
    expect(verdict).toMatchObject({ outcome: 'missed', carried: { ratePerSecond: 0, limitedAtPerSecond: 60 } })
    expect(verdict.reasons[0]?.text).toMatch(/^no rate that was tried held; at 60 updates\/s: p95/)
    expect(measuredWithUnit(verdict.metrics[0]!)).toBe('none carried')
  })
})

describe('a load whose evidence is invalid', () => {
  const whole = resultWith({ runner: dropped })

  test('is missed as soon as a smaller rate holds, and exits with 1', () => {
    expect(judge(whole).outcome).toBe('invalid')
    const verdict = after(whole, held(250), invalid(375))
    expect(exitCodeOf([verdict])).toBe(1)
    expect(verdict.metrics[0]).toMatchObject({ measured: 250, carried: true, status: 'missed' })
  })

  test('never shows a figure of that load as valid', () => {
    const verdict = after(whole, held(250))
    expect(verdict.metrics.slice(1).map(({ status }) => status)).toEqual(['invalid', 'invalid', 'invalid'])
    expect(verdict.reasons).toContainEqual({
      rule: 'dropped-iterations',
      effect: 'remark',
      text: expect.stringMatching(/^the figures at 500 updates\/s are not valid: generator: k6 dropped 40 iterations/),
    })
  })

  test('is missed also where a k6 without CPU had not looked at all that was delivered when it ended', () => {
    const scenario = 'redis-pubsub'
    const runner = withCounters({ messages_delivered: 700_000, messages_lost: 0, publish_dropped_peak: 7_000 })
    const whole = resultWith({ scenario, runner })
    expect(judge(whole).reasons.map(({ rule }) => rule)).toContain('deliveries-add-up')
    expect(after(whole, held(250, { scenario }))).toMatchObject({ outcome: 'missed', carried: { ratePerSecond: 250 } })
  })

  test('is missed where a smaller rate is valid and missed', () => {
    expect(after(whole, slow(250))).toMatchObject({ outcome: 'missed', carried: { ratePerSecond: 0 } })
  })

  test('stays invalid where no rate gave valid evidence', () => {
    const verdict = after(whole, invalid(250), invalid(60))
    expect(exitCodeOf([verdict])).toBe(2)
    expect(verdict).not.toHaveProperty('carried')
    expect(verdict.reasons.at(-1)?.text).toBe('no smaller rate gave valid evidence: 250 and 60 a second were tried')
  })
})

describe('steps never make a verdict better than what they prove', () => {
  test('a load that is met stays met', () => {
    expect(after(resultWith(), held(250))).toEqual(judge(resultWith()))
  })

  test.each([
    ['duplicates', { messages_duplicated: 5 }],
    ['reorderings', { messages_reordered: 5 }],
    ['deliveries-add-up', { messages_due: 1 }],
    ['deliveries-add-up', { messages_mismatched: 1 }],
  ])('a load that breaks "%s" stays invalid: that is no question of rate', (_, counters) => {
    const scenario = 'redis-pubsub'
    const verdict = after(resultWith({ scenario, runner: withCounters(counters) }), held(250, { scenario }))
    expect(verdict.outcome).toBe('invalid')
  })

  test('events that were acknowledged and are not stored stay invalid at any rate', () => {
    const server = serverWith()
    const lossy = { ...server, postgres: { ...server.postgres!, rowsOfRun: { events: 34_000, calls: 8_522 } } }
    expect(after(resultWith({ server: lossy }), held(250)).outcome).toBe('invalid')
  })

  test('a step at the full rate, of another scenario or of a smoke run says nothing', () => {
    const whole = resultWith({ runner: dropped })
    expect(after(whole, held(500)).outcome).toBe('invalid')
    expect(after(whole, held(50, { scenario: 'reporting-endpoints' })).outcome).toBe('invalid')
    expect(after(whole, held(50, { profile: 'smoke' })).outcome).toBe('invalid')
  })

  test('a step of live delivery has all subscribers', () => {
    const few = held(250, {
      scenario: 'redis-pubsub',
      runner: (runner) => ({ ...runner, settings: { ...runner.settings, subscribers: 20 } }),
    })
    const verdict = after(resultWith({ scenario: 'redis-pubsub', slowness: 9 }), few)
    expect(verdict).not.toHaveProperty('carried')
  })

  test('without its steps a result is judged the same or worse', () => {
    const rank = { met: 0, missed: 1, invalid: 2 }
    for (const scenario of SCENARIO_NAMES) {
      for (const whole of [resultWith({ scenario, slowness: 9 }), resultWith({ scenario, runner: dropped })]) {
        const target = whole.runners[0]!.settings.targetPerSecond
        const withSteps = after(whole, held(Math.round(target / 2), { scenario }))
        expect(rank[judge(whole).outcome]).toBeGreaterThanOrEqual(rank[withSteps.outcome])
      }
    }
  })
})

test('a run that repeats a disturbed one says so, and counts by itself', () => {
  const beside = serverWith({ cpuIdle: 0, processes: [processWith('k6', 'k6', 0.3), processWith('api-1', 'api', 1)] })
  const { environment: _, ...disturbed } = resultWith({
    slowness: 9,
    server: { ...beside, otherPrograms: [{ name: 'ffmpeg', cpuCores: 0.6 }] },
  })
  const verdict = judge({ ...resultWith(), disturbed })
  expect(verdict.outcome).toBe('met')
  expect(verdict.reasons).toEqual([
    {
      rule: 'repeated',
      effect: 'remark',
      text:
        'this run repeats one that was disturbed: other programs used 0.70 of 2 cores: ffmpeg 0.60; ' +
        'a miss (p95 latency and p99 latency) may be their doing',
    },
  ])
})
