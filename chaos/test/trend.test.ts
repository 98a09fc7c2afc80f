import { expect, test } from 'vitest'
import { seededRandom } from '../../contract/traffic/report-queries.ts'
import { renderSvg } from '../../platform/document/chart/render-svg.ts'
import { COLOURS } from '../../platform/document/chart/theme.ts'
import { soakChart } from '../soak/soak-chart.ts'
import { trendOf } from '../soak/trend.ts'

const MATTERS = 20
/** A sawtooth, as of garbage collection. */
const saw = (i: number) => (i % 7) * 4
/** Four hundred values, each close to the one before, as memory use is. */
function wandering(random: () => number): readonly number[] {
  let away = 0
  return Array.from({ length: 400 }, () => {
    away = 0.9 * away + 10 * (random() - 0.5)
    return 400 + away
  })
}
const rising = (values: readonly number[], by: number) =>
  values.map((value, i) => value + (i / (values.length - 1)) * by)
const verdict = (values: readonly number[]) => trendOf(values, MATTERS).verdict

test('noise without a trend does not grow; a leak does', () => {
  const flat = Array.from({ length: 400 }, (_, i) => 200 + saw(i))
  expect(verdict(flat)).toBe('flat')
  expect(trendOf(rising(flat, 90), MATTERS)).toMatchObject({ verdict: 'grows', rise: expect.closeTo(90, -1) })
  expect(verdict(rising(flat, -90))).toBe('flat')
})

test('a count that goes up by one and stays there does not grow, and one that goes up by a few does', () => {
  const steps = (count: number) => Array.from({ length: 400 }, (_, i) => 90 + Math.floor((i / 400) * (count + 1)))
  expect(verdict(steps(0))).toBe('flat')
  expect(verdict(steps(1))).toBe('flat')
  expect(verdict(steps(4))).toBe('grows')
})

test('noise is seldom reported as a rise, and a rise by a tenth is seldom missed', () => {
  const random = seededRandom(7)
  const runs = Array.from({ length: 300 }, () => wandering(random))
  const share = (of: (values: readonly number[]) => boolean) => runs.filter(of).length / runs.length
  expect(share((values) => verdict(values) === 'grows')).toBeLessThan(0.02)
  expect(share((values) => verdict(rising(values, 40)) !== 'flat')).toBeGreaterThan(0.98)
  const { low, high } = trendOf(rising(runs[0]!, 40), MATTERS)
  expect([low < 40, high > 40]).toEqual([true, true])
})

test('values with too much noise are not called flat', () => {
  const random = seededRandom(7)
  expect(verdict(Array.from({ length: 40 }, () => 100 + 400 * random()))).toBe('unclear')
  expect(() => trendOf([5, 5, 5], MATTERS)).toThrow('3 values: a trend needs 20')
})

test('the chart has a row for each resource', () => {
  const sample = { memory: 300, liveHeap: 30, handles: 90, connections: 40, wal: 12, redisKeys: 9 }
  const samples = [
    { seconds: 0, ...sample },
    { seconds: 1200, ...sample },
  ]
  const svg = renderSvg(soakChart('Soak', '500/s', samples))
  for (const title of [
    'Memory of two API instances, MiB',
    'Postgres connections',
    'WAL kept for the replica, MiB',
    'Redis keys',
  ]) {
    expect(svg).toContain(title)
  }
  expect(svg.match(new RegExp(` stroke="${COLOURS.p50}"`, 'g'))).toHaveLength(6)
})
