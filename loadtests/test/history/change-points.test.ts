import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findChanges } from '../../bench/history/change-points/find-changes.ts'
import { otavaChanges } from '../../bench/history/change-points/otava.ts'
import { measureDailyAlarms, measureDelay, measurePrecision } from '../../bench/history/precision/precision.ts'
import { renderPrecision } from '../../bench/history/precision/render-precision.ts'
import { simulate } from '../../bench/history/precision/simulate.ts'
import { LEAST_RUNS } from '../../bench/history/render-history.ts'
import { OTAVA_SERIES } from './otava-series.ts'

const wave = (level: number, runs: number) => Array.from({ length: runs }, (_, i) => level + ((i * 7) % 5) / 10)

describe('changes', () => {
  test('are found where the level moves, up and back down', () => {
    const found = findChanges([...wave(20, 30), ...wave(24, 25), ...wave(20, 30)])
    expect(found.map(({ index }) => index)).toEqual([30, 55])
    expect(found.every(({ p }) => p <= 0.001)).toBe(true)
  })

  test('are not found in a series that never moves, is empty, or has one slow run or two', () => {
    expect(findChanges([])).toEqual([])
    expect(findChanges(Array(50).fill(100))).toEqual([])
    expect(findChanges([...wave(20, 30), 60, 70, ...wave(20, 30)])).toEqual([])
    expect(findChanges([...wave(20, 30), 60])).toEqual([])
  })

  test('take as many runs as the document says', () => {
    const step = (runs: number) =>
      Array.from({ length: runs }, (_, i) => (2 * i < runs - 1 ? 20 : 30) + ((i * 7) % 31) / 31)
    expect(findChanges(step(LEAST_RUNS))).toHaveLength(1)
    expect(findChanges(step(LEAST_RUNS - 1))).toHaveLength(0)
  })

  test('are the same for the same values, in whatever unit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.constantFrom(0.001, 2, 1024), (seed, unit) => {
        const { values } = simulate({ kind: 'outliers', noise: 0.02, step: 0.1, seed })
        expect(findChanges(values.map((value) => value * unit))).toEqual(findChanges(values))
      }),
      { numRuns: 10, seed: 1 },
    )
  })
})

test("our version of Otava's method finds what Otava itself finds", () => {
  const expected = JSON.parse(readFileSync(new URL('otava-0.8.json', import.meta.url), 'utf8')) as [number, number][][]
  expect(expected).toHaveLength(OTAVA_SERIES.length)
  OTAVA_SERIES.forEach((values, i) => {
    const found = otavaChanges(values)
    expect(found.map(({ index }) => index)).toEqual(expected[i]!.map(([index]) => index))
    found.forEach(({ p }, n) => {
      const ofOtava = expected[i]![n]![1]
      expect(Math.abs(p - ofOtava)).toBeLessThanOrEqual(1e-8 * ofOtava)
    })
  })
  expect(expected.flat().length).toBeGreaterThan(50)
})

describe('on simulated series of other seeds than those of the document', () => {
  const cells = measurePrecision(6, 400_000)
  const share = (matches: (cell: (typeof cells)[number]) => boolean) => {
    const those = cells.filter(matches)
    const sum = (of: (cell: (typeof cells)[number]) => number) => those.reduce((all, cell) => all + of(cell), 0)
    return (method: 'ours' | 'otava') => ({
      recall: sum(({ by }) => by[method].found) / sum(({ series }) => series),
      alarms: sum(({ by }) => by[method].alarmed) / sum(({ series }) => series),
    })
  }

  test('a step of 10 or 20 % is found, and of 5 % where the noise is small', () => {
    const clear = share(({ kind, step, noise }) => kind !== 'drift' && step >= 0.1 && noise <= 0.03)
    expect(clear('ours').recall).toBeGreaterThanOrEqual(0.97)
    expect(share(({ kind, step, noise }) => kind === 'steady' && step === 0.05 && noise <= 0.02)('ours').recall).toBe(1)
  })

  test('hardly anything is said where nothing changed, and much less than by Otava where runs are disturbed', () => {
    const flat = share(({ kind, step }) => kind !== 'drift' && step === 0)
    expect(flat('ours').alarms).toBeLessThanOrEqual(0.03)
    expect(share(({ kind, step }) => kind === 'outliers' && step === 0)('otava').alarms).toBeGreaterThan(0.1)
  })

  test('a drift is said to be a change, by both: the document does not hide it', () => {
    const drift = share(({ kind, step }) => kind === 'drift' && step === 0)
    expect(drift('ours').alarms).toBeGreaterThan(0.5)
    expect(renderPrecision(cells, measureDelay(2, 1), measureDailyAlarms(2, 1))).toMatch(
      /\| drift +\| `bench history` \|.* of 24 \|/,
    )
  })

  test('a large step is said after a few runs', () => {
    const [, , large] = measureDelay(4, 400_000)
    expect(Math.max(...large!.by.ours)).toBeLessThanOrEqual(9)
    expect(Math.max(...large!.by.otava)).toBeLessThanOrEqual(2)
  })
})
