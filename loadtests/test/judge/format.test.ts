import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytes, figure, list, measuredText, ms, number, percent, plural } from '../../bench/judge/format.ts'
import { type Metric, meets } from '../../bench/judge/verdict.ts'

const metric = (unit: Metric['unit'], comparison: Metric['comparison'], target: number, measured: number): Metric => ({
  name: 'rate',
  label: 'Throughput',
  unit,
  comparison,
  target,
  measured,
  status: 'met',
})

test('figures have as many digits as they deserve', () => {
  expect([0, 0.0421, 0.421, 4.21, 42.1, 4210].map(figure)).toEqual(['0', '0.042', '0.42', '4.2', '42', '4,210'])
  expect([number(1234567.891, 2), number(-0.001, 1), ms(8.26), percent(0.7234)]).toEqual([
    '1,234,567.89',
    '0.0',
    '8.3 ms',
    '72 %',
  ])
  expect([0, 512, 3_565_158, 2_147_483_648].map(bytes)).toEqual(['0 B', '512 B', '3.4 MB', '2.0 GB'])
  expect([list([]), list(['a']), list(['a', 'b', 'c']), plural(1, 'core'), plural(1200, 'core')]).toEqual([
    '',
    'a',
    'a, b and c',
    '1 core',
    '1,200 cores',
  ])
})

test('a figure that missed by a hair does not read as one that met', () => {
  expect(measuredText(metric('updates/s', '>=', 500, 499.97))).toBe('499.97')
  expect(measuredText(metric('ms', '<', 300, 299.8))).toBe('299.8')
  // Not above 95, as was to be: nothing is hidden.
  expect(measuredText(metric('%', '>', 95, 94.9996))).toBe('95.00')
  expect(measuredText(metric('%', '>', 95, 99.9999))).toBe('99.9999')
  expect(measuredText(metric('%', '>', 95, 100))).toBe('100')
})

test('what is shown is on the same side of the target as what was measured', () => {
  const comparison = fc.constantFrom<Metric['comparison']>('>=', '>', '<')
  fc.assert(
    fc.property(
      comparison,
      fc.integer({ min: 1, max: 1000 }),
      fc.double({ min: -1, max: 1, noNaN: true }),
      (sign, target, off) => {
        // Below the sixth decimal there is nothing left to show.
        const measured = Number((target + off * off * off).toFixed(6))
        const shown = Number(measuredText(metric('ms', sign, target, measured)).replaceAll(',', ''))
        expect(meets({ comparison: sign, target, measured: shown })).toBe(meets({ comparison: sign, target, measured }))
      },
    ),
  )
})
