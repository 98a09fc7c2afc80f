/** A metric and its target as people read them. */

import { number } from '@hopwhistle/platform/document/figures.ts'
import { type Metric, meets } from './verdict.ts'

export const COMPARISON = { '>=': '≥', '>': '>', '<': '<' } as const

/** `≥500`, `<300`, `>95`. */
export const targetText = ({ comparison, target }: Metric): string => `${COMPARISON[comparison]}${number(target)}`

const MOST_DECIMALS = 6

/**
 * The measured figure, rounded so that it stays on its side of the target: 499.97 does not read as 500.0, nor 94.999
 * as 95.00.
 */
export function measuredText(metric: Metric): string {
  const { measured, unit } = metric
  if (measured === undefined) return 'not measured'
  if (metric.carried) return number(measured)
  if (unit === '%' && measured === 100) return '100'
  const least = unit === '%' ? 2 : unit === 'ms' && measured >= 10 ? 0 : 1
  for (let decimals = least; decimals < MOST_DECIMALS; decimals++) {
    const text = number(measured, decimals)
    const read = Number(text.replaceAll(',', ''))
    const hides100 = unit === '%' && read === 100
    if (!hides100 && meets({ ...metric, measured: read }) === meets(metric)) return text
  }
  return number(measured, MOST_DECIMALS)
}

/** `500.2 updates/s`, `99.99 %`, `310 updates/s carried`, `none carried`; `not measured` alone. */
export function measuredWithUnit(metric: Metric): string {
  if (metric.measured === undefined) return measuredText(metric)
  if (metric.carried && metric.measured === 0) return 'none carried'
  return `${measuredText(metric)} ${metric.unit}${metric.carried ? ' carried' : ''}`
}
