/** How often the answer is right, on simulated rounds. Seeds are fixed: the counts are the same on every machine. */
import { describe, expect, test } from 'vitest'
import { type Answer, decide, MISS, type RoundEffect, type Rule } from '../../versions/statistics/decide.ts'
import { scalesOf } from '../../versions/statistics/evidence.ts'
import { moreRounds, smallestSeen } from '../../versions/statistics/foresee.ts'
import { intervalOf } from '../../versions/statistics/interval.ts'
import { type Noise, type Simulated, seededRandom, simulate } from './simulate.ts'

const RULE: Rule = { metrics: 24, margin: Math.log(1.05) }
/** What fits into a quarter of an hour. */
const ROUNDS = 30
const RUNS = 400
/** Of all metrics together, which take longer. */
const COMPARISONS = 300
const NOISES: readonly Noise[] = ['normal', 'heavy-tailed', 'autocorrelated']

function answers(seed: number, runs: number, options: Omit<Simulated, 'rounds'>): Readonly<Record<Answer, number>> {
  const random = seededRandom(seed)
  const counts = { slower: 0, faster: 0, same: 0, undecided: 0 }
  for (let run = 0; run < runs; run++)
    counts[decide(simulate(random, { rounds: ROUNDS, ...options }), RULE).answer] += 1
  return counts
}

describe.each(NOISES)('with %s noise, a drift that both share and a half of the servers that is slower', (kind) => {
  test('equal versions are called slower or faster in at most one of a hundred comparisons of 24 metrics', () => {
    const random = seededRandom(1)
    const wrong = Array.from({ length: COMPARISONS }, () =>
      Array.from({ length: RULE.metrics }, (_, metric) =>
        simulate(random, { rounds: ROUNDS, change: 0, noise: 0.005 * (metric + 1), kind, halves: 0.1 }),
      ).some((rounds) => ['slower', 'faster'].includes(decide(rounds, RULE).answer)),
    ).filter(Boolean)
    expect(wrong.length).toBeLessThanOrEqual(COMPARISONS / 100)
  })

  test('the interval misses the change in at most 5 of a hundred series, at any of its rounds', () => {
    const random = seededRandom(2)
    const change = 0.05
    const missed = Array.from({ length: RUNS }, () => {
      const effects = simulate(random, { rounds: ROUNDS, change, noise: 0.04, kind }).map(({ effect }) => effect)
      // It never grows again: the last one lies in all before it.
      const { low, high } = intervalOf(effects, scalesOf(effects), MISS)
      return change < low || change > high
    }).filter(Boolean)
    expect(missed.length).toBeLessThanOrEqual(RUNS / 20)
  })
})

describe.each([
  ['normal', 0.03],
  ['autocorrelated', 0.03],
  ['heavy-tailed', 0.02],
] as const)('with %s noise of %d', (kind, noise) => {
  test('a slowdown of 5 % is found in at least 95 of 100 comparisons, and never called the same in more than 3', () => {
    const counts = answers(3, RUNS, { change: Math.log(1.05), noise, kind })
    expect(counts.slower).toBeGreaterThanOrEqual(0.95 * RUNS)
    expect(counts.same).toBeLessThanOrEqual(0.03 * RUNS)
  })

  test('what is 5 % faster is found as well', () => {
    expect(answers(4, RUNS, { change: -Math.log(1.05), noise, kind }).faster).toBeGreaterThanOrEqual(0.95 * RUNS)
  })

  test('equal versions are the same', () => {
    expect(answers(5, RUNS, { change: 0, noise, kind }).same).toBeGreaterThanOrEqual(0.95 * RUNS)
  })
})

test('without the coin a slower half of the servers would be taken for a slower version', () => {
  const options = { change: 0, noise: 0.03, kind: 'normal', halves: 0.05 } as const
  expect(answers(6, 100, { ...options, coin: false }).slower).toBeGreaterThan(90)
  expect(answers(6, 100, options).slower).toBe(0)
})

describe('a change that is seen', () => {
  const on = (servers: number, effect: number, count: number): readonly RoundEffect[] =>
    Array.from({ length: count }, () => ({ effect, servers }))

  test('is suspected at first, and slower once other servers have shown it again', () => {
    expect(decide(on(0, 0.1, 20), RULE)).toEqual({
      answer: 'undecided',
      suspected: { direction: 'slower', servers: 0 },
    })
    expect(decide([...on(0, 0.1, 20), ...on(1, 0.1, 2)], RULE).answer).toBe('undecided')
    expect(decide([...on(0, 0.1, 20), ...on(1, 0.1, 6)], RULE)).toEqual({ answer: 'slower' })
    expect(decide([...on(0, -0.1, 20), ...on(1, -0.1, 6)], RULE)).toEqual({ answer: 'faster' })
  })

  test('and not again on other servers, is no answer', () => {
    expect(decide([...on(0, 0.1, 20), ...on(1, -0.1, 6)], RULE)).toMatchObject({ answer: 'undecided' })
  })

  test('and is smaller than the margin, is the same', () => {
    expect(decide([...on(0, 0.01, 20), ...on(1, 0.01, 10)], RULE)).toEqual({ answer: 'same' })
  })
})

test('no rounds decide nothing, and foresee nothing', () => {
  expect(decide([], RULE)).toEqual({ answer: 'undecided' })
  expect(smallestSeen([], RULE)).toBeUndefined()
  expect(moreRounds([], RULE)).toBeUndefined()
})

test('the smallest change that a run could have seen is larger in more noise, and in fewer rounds', () => {
  const seen = (noise: number, rounds: number) =>
    smallestSeen(simulate(seededRandom(7), { rounds, change: 0.02, noise, kind: 'normal' }), RULE) ?? 1
  expect(seen(0.01, 30)).toBeLessThan(0.02)
  expect(seen(0.01, 30)).toBeLessThan(seen(0.05, 30))
  expect(seen(0.05, 30)).toBeLessThan(seen(0.05, 20))
  expect(seen(0.01, 8)).toBe(1)
})

test('as many more rounds as are foreseen decide, in most series that went undecided', () => {
  const random = seededRandom(8)
  const foreseen = Array.from({ length: 30 }, () => {
    const options = { change: 0, noise: 0.04, kind: 'normal' } as const
    const more = moreRounds(simulate(random, { ...options, rounds: 8 }), RULE)!
    const rounds = simulate(random, { ...options, rounds: Math.min(200, Math.ceil(1.5 * (8 + more))) })
    return decide(rounds, RULE).answer === 'same'
  })
  expect(foreseen.filter(Boolean).length).toBeGreaterThan(20)
})
