/** When a comparison stops, and when it replaces its servers: by itself, and played through on simulated rounds. */
import { describe, expect, test } from 'vitest'
import { ruleFor } from '../../versions/conclude.ts'
import { type Limits, nextStep, type SoFar } from '../../versions/next-step.ts'
import { type Decision, decide, type RoundEffect } from '../../versions/statistics/decide.ts'
import { type Noise, seededRandom, simulate } from './simulate.ts'

const LIMITS: Limits = { minutes: 15, rounds: Number.POSITIVE_INFINITY }
const SOME: SoFar = { decisions: [{ answer: 'undecided' }], servers: [0, 0], secondsTaken: 60, roundSeconds: 30 }
const next = (soFar: Partial<SoFar>, limits: Partial<Limits> = {}) =>
  nextStep({ ...SOME, ...soFar }, { ...LIMITS, ...limits })
const suspected = (servers: number): Decision => ({
  answer: 'undecided',
  suspected: { direction: 'slower', servers },
})

test('it goes on while something is undecided and another round fits', () => {
  expect(next({})).toBe('another round')
  expect(next({ secondsTaken: 15 * 60 - 31 })).toBe('another round')
  expect(next({ secondsTaken: 15 * 60 - 29 })).toBe('stop')
  expect(next({}, { rounds: 2 })).toBe('stop')
})

test('it stops as soon as one metric is slower, or all are decided', () => {
  const [same, slower, faster, undecided] = (['same', 'slower', 'faster', 'undecided'] as const).map((answer) => ({
    answer,
  }))
  expect(next({ decisions: [same!, undecided!, slower!] })).toBe('stop')
  expect(next({ decisions: [same!, undecided!, faster!] })).toBe('another round')
  expect(next({ decisions: [same!, faster!] })).toBe('stop')
})

test('a suspicion gets new servers once, and another one waits until they have shown what they could', () => {
  expect(next({ decisions: [suspected(0)], servers: [0, 0] })).toBe('new servers')
  expect(next({ decisions: [suspected(0)], servers: [0, 0, 1] })).toBe('another round')
  expect(next({ decisions: [suspected(0), suspected(1)], servers: [0, 0, 1] })).toBe('another round')
  expect(next({ decisions: [suspected(0), suspected(1)], servers: [0, 1, 1, 1, 1, 1, 1] })).toBe('new servers')
})

test('a calibration goes on whatever is seen, and gets new servers now and then', () => {
  const calibrate = { renewAfter: 2 }
  expect(next({ decisions: [{ answer: 'slower' }], servers: [0] }, { calibrate })).toBe('another round')
  expect(next({ decisions: [suspected(0)], servers: [0, 1] }, { calibrate })).toBe('another round')
  expect(next({ servers: [0, 0] }, { calibrate })).toBe('new servers')
  expect(next({ servers: [0, 0], secondsTaken: 900 }, { calibrate })).toBe('stop')
})

describe.each(['normal', 'heavy-tailed', 'autocorrelated'] as const)('played through with %s noise', (kind) => {
  const ROUND_SECONDS = 30
  const RENEWAL_SECONDS = 15
  const rule = ruleFor(0.05)

  /** @returns the decisions that a comparison of a few metrics ends with */
  function play(seed: number, changes: readonly number[], kind: Noise): readonly Decision[] {
    const random = seededRandom(seed)
    const all = changes.map((change) => simulate(random, { rounds: 60, change, noise: 0.02, kind, halves: 0.03 }))
    const servers: number[] = []
    let number = 0
    for (let secondsTaken = RENEWAL_SECONDS; ; ) {
      servers.push(number)
      secondsTaken += ROUND_SECONDS
      const decisions = all.map((series) =>
        decide(
          servers.map((on, round): RoundEffect => ({ effect: series[round]!.effect, servers: on })),
          rule,
        ),
      )
      const step = nextStep({ decisions, servers, secondsTaken, roundSeconds: ROUND_SECONDS }, LIMITS)
      if (step === 'stop') return decisions
      if (step === 'another round') continue
      number += 1
      secondsTaken += RENEWAL_SECONDS
    }
  }
  const plays = (changes: readonly number[], count = 60) =>
    Array.from({ length: count }, (_, seed) => play(seed, changes, kind).map(({ answer }) => answer))

  test('a metric that is 8 % slower among others that are the same ends it within 15 minutes', () => {
    const found = plays([0, Math.log(1.08), 0]).filter((answers) => answers[1] === 'slower')
    expect(found.length).toBeGreaterThanOrEqual(45)
  })

  test('equal versions end as the same', () => {
    const same = plays([0, 0, 0]).filter((answers) => answers.every((answer) => answer === 'same'))
    expect(same.length).toBeGreaterThanOrEqual(55)
  })
})
