import { SCENARIO_NAMES, targetsOf } from '@hopwhistle/contract/scenarios.ts'
import { describe, expect, test } from 'vitest'
import { parseResult } from '../../bench/evidence/parse-result.ts'
import type { Metric, Verdict } from '../../bench/evidence/verdict.ts'
import { exitCodeOf } from '../../bench/judge/exit-code.ts'
import { judge } from '../../bench/judge/judge.ts'
import { histogramOfValues } from '../../scenarios/lib/histogram.ts'
import { latenciesMs, resultWith, withCounters } from '../fixtures/result-with.ts'

const metric = (verdict: Verdict, name: Metric['name']) => verdict.metrics.find((one) => one.name === name)

describe.each(SCENARIO_NAMES)('a good run of %s', (scenario) => {
  test('meets every target, with nothing to remark', () => {
    const verdict = judge(resultWith({ scenario }))
    expect(verdict.reasons).toEqual([])
    expect(verdict.outcome).toBe('met')
    expect(verdict.metrics.map(({ status }) => status)).toEqual(verdict.metrics.map(() => 'met'))
  })

  test('is judged the same when two runners shared it', () => {
    const alone = judge(resultWith({ scenario }))
    const shared = judge(resultWith({ scenario, runners: 2 }))
    expect(shared.reasons).toEqual([])
    expect(metric(shared, 'rate')?.measured).toBeCloseTo(metric(alone, 'rate')?.measured ?? 0, 0)
    const [p95, ofAll] = [metric(alone, 'p95')?.measured ?? 0, metric(shared, 'p95')?.measured ?? 0]
    expect(Math.abs(ofAll - p95) / p95).toBeLessThan(0.03)
  })

  test('has every target of the contract in its table', () => {
    const { metrics } = judge(resultWith({ scenario }))
    const targets = Object.values(targetsOf(scenario)).flatMap(
      ({ subscribers: _s, publishers: _p, ...targets }: Record<string, number>) => Object.values(targets),
    )
    expect(metrics.map(({ target }) => target).sort()).toEqual(targets.sort())
  })
})

describe('a miss', () => {
  test('of a latency is a missed target, with both figures', () => {
    const verdict = judge(resultWith({ slowness: 9 }))
    expect(verdict.outcome).toBe('missed')
    expect(metric(verdict, 'p95')?.status).toBe('missed')
    expect(verdict.reasons[0]).toMatchObject({ rule: 'target', effect: 'missed' })
    expect(verdict.reasons[0]?.text).toMatch(/^p95 latency is \d+ ms; the target is <300 ms$/)
  })

  test('of the success rate counts what was sent, not what was answered', () => {
    const failed = withCounters({ updates_ok_peak: 28_000, updates_failed_peak: 2_300 })
    const verdict = judge(resultWith({ runner: failed }))
    expect(metric(verdict, 'success')?.measured).toBeCloseTo((100 * 28_000) / 30_300, 5)
    expect(metric(verdict, 'success')?.status).toBe('missed')
  })

  test('at exactly the target is one for "above" and "below", and none for "at least"', () => {
    const at95 = withCounters({ updates_sent_peak: 40_000, updates_ok_peak: 38_000, updates_failed_peak: 2_000 })
    const verdict = judge(resultWith({ runner: at95 }))
    expect(metric(verdict, 'success')).toMatchObject({ measured: 95, comparison: '>' })
    expect(verdict.reasons.map(({ text }) => text)).not.toContain('rate')
    const exactly500 = withCounters({ updates_sent_peak: 30_000, updates_ok_peak: 30_000 })
    const rate = metric(judge(resultWith({ runner: exactly500 })), 'rate')
    expect(rate).toMatchObject({ measured: 500, comparison: '>=' })
  })

  test('of one runner is no miss when all of them together meet the target', () => {
    const slowSecond = resultWith({
      runners: 2,
      runner: (runner, i) =>
        i === 0
          ? runner
          : {
              ...runner,
              histograms: {
                ...runner.histograms,
                update_latency_peak: histogramOfValues(
                  latenciesMs(15_150, 1).map((ms, n) => (n % 20 === 0 ? 350 : ms)),
                ),
              },
              thresholds: [{ metric: 'update_latency_peak', expression: 'p(95)<300', ok: false }],
              exitCode: 99,
            },
    })
    expect(judge(slowSecond)).toMatchObject({ outcome: 'met' })
  })
})

test('an invalid run shows its figures and calls none of them met', () => {
  const verdict = judge(resultWith({ runner: withCounters({ k6_dropped_iterations: 1 }) }))
  expect(verdict.outcome).toBe('invalid')
  expect(verdict.metrics.every(({ status, measured }) => status === 'invalid' && measured !== undefined)).toBe(true)
})

test('a scenario that nobody knows is refused by name', () => {
  expect(() => parseResult(JSON.stringify({ ...resultWith(), scenario: 'coffee' }))).toThrow(
    'scenario is "coffee"; it may be call-state-updates, reporting-endpoints, redis-pubsub',
  )
})

test('the exit code is 0 for met, 1 for missed, 2 for invalid, and 2 for nothing at all', () => {
  const of = (...outcomes: Verdict['outcome'][]) => exitCodeOf(outcomes.map((outcome) => ({ outcome })))
  expect([of('met', 'met'), of('met', 'missed'), of('missed', 'invalid'), of()]).toEqual([0, 1, 2, 2])
})
