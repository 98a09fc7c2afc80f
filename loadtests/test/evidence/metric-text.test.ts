import fc from 'fast-check'
import { expect, test } from 'vitest'
import { measuredText } from '../../bench/evidence/metric-text.ts'
import { type Metric, meets } from '../../bench/evidence/verdict.ts'

const metric = (unit: Metric['unit'], comparison: Metric['comparison'], target: number, measured: number): Metric => ({
  name: 'rate',
  label: 'Throughput',
  unit,
  comparison,
  target,
  measured,
  status: 'met',
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
