import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answerFor, stopOf } from '../../bench/capacity/answer.ts'
import type { CapacityResult } from '../../bench/capacity/capacity-result.ts'
import { chartValues } from '../../bench/capacity/chart-values.ts'
import { drawnModels, interval, modelOf, predictedRate } from '../../bench/capacity/model.ts'
import { renderAnswer, renderDocument, renderTerminal, USUAL_SIZES } from '../../bench/capacity/render-text.ts'
import { fitLaw, peakOfLaw, speedup } from '../../bench/capacity/scalability-law.ts'
import { CORES_EACH, capacityWith, TRUE_COSTS, trueRate } from '../fixtures/capacity-of.ts'

const LAW = { sigma: 0.06, kappa: 0.01 }
const MEASURED = capacityWith(LAW, [1, 2, 3])
const NEARLY_LINEAR = capacityWith({ sigma: 0.02, kappa: 0 }, [1, 2, 3])
const LOAD = { events: 2000, reports: 50, subscribers: 500 }

describe('the law', () => {
  test('is found again from what it says of a few instances', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.3, noNaN: true }),
        fc.double({ min: 0, max: 0.05, noNaN: true }),
        (sigma, kappa) => {
          const law = { sigma, kappa }
          const observed = ['a', 'b'].flatMap((workload, i) =>
            [1, 2, 3, 5].map((instances) => ({
              workload,
              instances,
              capacity: 100 * (i + 1) * speedup(law, instances),
            })),
          )
          const found = fitLaw(observed)
          for (const n of [1, 3, 8]) expect(speedup(found, n) / speedup(law, n)).toBeCloseTo(1, 1)
          expect(found.lambda.get('b')! / 200).toBeCloseTo(1, 1)
        },
      ),
      { numRuns: 20 },
    )
  })

  test('of one number of instances says nothing of others, and takes them to be worth as much each', () => {
    expect(fitLaw([{ workload: 'a', instances: 1, capacity: 100 }])).toMatchObject({ sigma: 0, kappa: 0 })
  })

  test('has a peak where instances cost each other, and none without', () => {
    const peak = peakOfLaw({ sigma: 0.1, kappa: 0.01 })
    expect(speedup({ sigma: 0.1, kappa: 0.01 }, 9)).toBeGreaterThan(speedup({ sigma: 0.1, kappa: 0.01 }, 12))
    expect(peak).toBeCloseTo(9.49, 2)
    expect(peakOfLaw({ sigma: 0.1, kappa: 0 })).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('the model', () => {
  const model = modelOf(MEASURED)!

  test('finds the costs of each part', () => {
    for (const part of ['api', 'primary', 'replica', 'redis'] as const) {
      for (const unit of ['event', 'report'] as const) {
        expect(model.costs[part][unit] / TRUE_COSTS[part][unit]).toBeCloseTo(1, 1)
      }
    }
  })

  test('predicts a mix and a number of instances that were not measured within 5 %', () => {
    for (const [scenario, instances, subscribers] of [
      ['mixed-load', 2, 200],
      ['mixed-load', 4, 50],
      ['call-state-updates', 5, undefined],
      ['redis-pubsub', 4, undefined],
    ] as const) {
      const predicted = predictedRate(model, {
        scenario,
        instances,
        ...(subscribers === undefined ? {} : { subscribers }),
      })
      expect(predicted / trueRate(LAW, scenario, instances, subscribers), `${scenario} ${instances}`).toBeGreaterThan(
        0.95,
      )
      expect(predicted / trueRate(LAW, scenario, instances, subscribers), `${scenario} ${instances}`).toBeLessThan(1.05)
    }
  })

  test('has a range that holds the truth', () => {
    const [low, high] = interval(
      drawnModels(MEASURED).map((one) => predictedRate(one, { scenario: 'mixed-load', instances: 3 })),
    )
    const truth = trueRate(LAW, 'mixed-load', 3)
    expect(low).toBeLessThanOrEqual(1.01 * truth)
    expect(high).toBeGreaterThanOrEqual(0.99 * truth)
    expect(high - low).toBeLessThan(0.2 * truth)
  })

  test('does not take the end of the machine for the end of its instances', () => {
    const full: CapacityResult = {
      ...MEASURED,
      points: MEASURED.points.map((point) =>
        point.instances < 3
          ? point
          : {
              ...point,
              steps: point.steps.map((step) => ({
                ...step,
                ratePerSecond: step.ratePerSecond / 2,
                ...(step.use === undefined ? {} : { use: { ...step.use, machineIsFull: true as const } }),
              })),
            },
      ),
    }
    const { law } = modelOf(full)!
    expect(speedup(law, 3) / speedup(LAW, 3)).toBeGreaterThan(0.95)
    expect(renderTerminal(full)).toContain('(left out of the law)')
  })

  test('is not there when no step held', () => {
    const none = { ...MEASURED, points: MEASURED.points.map((point) => ({ ...point, steps: [] })) }
    expect(modelOf(none)).toBeUndefined()
    expect(answerFor(none, LOAD, USUAL_SIZES)).toMatch(/no step .* held/)
  })
})

describe('the answer', () => {
  const asMeasured = { ...USUAL_SIZES, podCores: CORES_EACH }

  test('has room for one pod lost, and says what is extrapolated', () => {
    const load = { events: 150, reports: 10, subscribers: 50 }
    const answer = answerFor(MEASURED, load, asMeasured)
    if (typeof answer === 'string') throw new Error(answer)
    expect(answer.pods).toBeGreaterThan(answer.needed.interval[1])
    expect(answer.extrapolated).toEqual([])
    const larger = answerFor(NEARLY_LINEAR, LOAD, USUAL_SIZES)
    if (typeof larger === 'string') throw new Error(larger)
    expect(larger.extrapolated.join('; ')).toMatch(
      /up to 3 instances were measured.*a pod has 1.00 cores.*2,000 events; up to/,
    )
    expect(larger.cpu.primary.cores).toBeCloseTo(0.02 + 2000 * 0.0009 + 50 * 0.0001, 1)
    expect(renderAnswer(larger)).toMatch(/API +\d+ pods of 1 core/)
  })

  test('names what is full where pods stop helping: the primary, or the law itself', () => {
    const model = modelOf(MEASURED)!
    const events = { events: 1000, reports: 0, subscribers: 0 }
    expect(stopOf(model, events, { podCores: 1, postgresCores: 1 }).why).toMatch(
      /^the CPU of the primary is 85 % of 1 core/,
    )
    const { pods, why } = stopOf(model, events, { podCores: 0.1, postgresCores: 64 })
    expect(why).toMatch(/^by the law/)
    expect(pods).toBeLessThan(12)
  })

  test('is none where no number of pods carries the load, and says why', () => {
    expect(answerFor(MEASURED, { events: 1_000_000, reports: 0, subscribers: 0 }, USUAL_SIZES)).toMatch(
      /^no number of pods up to 200 carries it: the CPU of the primary/,
    )
  })

  test('has more pods for subscribers than one pod takes sockets', () => {
    const answer = answerFor(MEASURED, { events: 1, reports: 0, subscribers: 3500 }, { ...USUAL_SIZES, podCores: 4 })
    expect(answer).toMatchObject({ pods: 5 })
  })
})

test('the same measurement gives the same document', () => {
  const text = renderDocument([MEASURED])
  expect(renderDocument([MEASURED])).toBe(text)
  expect(text).toContain('| Call state updates ')
  expect(text).not.toMatch(/NaN|undefined|Infinity/)
  expect(renderDocument([])).toContain('# Capacity')
  const answer = answerFor(NEARLY_LINEAR, LOAD, USUAL_SIZES)
  if (typeof answer === 'string') throw new Error(answer)
  expect(chartValues(answer)).toContain(`replicas: ${answer.pods}\n`)
})
