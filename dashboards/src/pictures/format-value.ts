/** A figure as a person reads it, with the unit of its panel: `0.0073` seconds are `7.3 ms`. */
import type { Unit } from '../panels/panel.ts'

const STEPS: Readonly<Record<'s' | 'ms' | 'bytes' | 'count', readonly (readonly [from: number, symbol: string])[]>> = {
  s: [
    [60, 'min'],
    [1, 's'],
    [1e-3, 'ms'],
    [1e-6, 'µs'],
  ],
  ms: [
    [1000, 's'],
    [1, 'ms'],
  ],
  bytes: [
    [1024 ** 3, 'GiB'],
    [1024 ** 2, 'MiB'],
    [1024, 'KiB'],
    [1, 'B'],
  ],
  count: [
    [1e6, 'M'],
    [1e3, 'k'],
    [1, ''],
  ],
}

const SUFFIXES: Readonly<Partial<Record<Unit, string>>> = {
  Bps: '/s',
  reqps: ' req/s',
  eps: '/s',
  mps: ' msg/s',
  ops: '/s',
  cores: ' cores',
  x: '×',
}

export function formatValue(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return '–'
  const suffix = SUFFIXES[unit] ?? ''
  switch (unit) {
    case 'percentunit':
      return `${short(value * 100)} %`
    case 'dateTimeFromNow':
      return value === 0 ? 'not yet' : `${new Date(value).toISOString().slice(0, 16).replace('T', ' ')}`
    case 's':
    case 'ms':
      return scaled(value, STEPS[unit])
    case 'bytes':
    case 'Bps':
      return `${scaled(value, STEPS.bytes)}${suffix}`
    default:
      return `${scaled(value, STEPS.count)}${suffix}`
  }
}

function scaled(value: number, steps: readonly (readonly [number, string])[]): string {
  if (value === 0) return steps === STEPS.count ? '0' : `0 ${steps.at(-1)?.[1] ?? ''}`
  const [from, symbol] = steps.find(([least]) => Math.abs(value) >= least) ?? steps.at(-1) ?? [1, '']
  return `${short(value / from)}${symbol === '' ? '' : ` ${symbol}`}`
}

/** Three digits, and no zeros behind the point. */
const short = (value: number): string => String(Number(value.toPrecision(3)))
