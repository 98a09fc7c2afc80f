/** Figures of a script as people read them. */
import { figure, number } from '@hopwhistle/platform/document/figures.ts'
import type { Figure } from './own-result.ts'
import { meets, type Target } from './target.ts'

const SIGNS = { '<': '<', '<=': '≤', '>': '>', '>=': '≥', '==': '=', '!=': '≠' } as const

/** `http_req_duration{name:login} p(95)` */
export const metricText = ({ metric, aggregate }: Target): string => `${metric} ${aggregate}`

/** `<300`, `<1 %` */
export const targetText = ({ comparison, value, unit }: Figure): string =>
  unit === '%' ? `${SIGNS[comparison]}${trimmed(100 * value)} %` : `${SIGNS[comparison]}${trimmed(value)}`

export function measuredText(given: Figure): string {
  const { measured, between, unit } = given
  const suffix = unit === '' ? '' : unit === '/s' ? '/s' : ` ${unit}`
  if (between !== undefined) return `${shown(between[0], unit)} to ${shown(between[1], unit)}${suffix}`
  if (measured === undefined) return 'no samples'
  // Rounded so that it stays on its side of the target: 299.97 does not read as 300.
  for (let decimals = 0; decimals < 7; decimals++) {
    const scale = unit === '%' ? 100 : 1
    const text = decimals === 0 ? shown(measured, unit) : number(scale * measured, decimals)
    if (meets(Number(text.replaceAll(',', '')) / scale, given) === meets(measured, given)) return `${text}${suffix}`
  }
  return `${measured}${suffix}`
}

const shown = (value: number, unit: string): string => (unit === '%' ? number(100 * value, 2) : figure(value))
const trimmed = (value: number): string => number(value, 4).replace(/\.?0+$/, '')
