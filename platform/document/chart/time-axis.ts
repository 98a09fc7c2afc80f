import type { Scale } from './scale.ts'
import { line, text } from './svg.ts'

/** Ticks below a chart, with minutes and seconds, and the label of the axis. All but `x` in pixels. */
export function timeAxis(x: Scale, left: number, right: number, bottom: number): string {
  const ticks = x.ticks.map((tick) => {
    const label = `${Math.floor(tick / 60)}:${String(tick % 60).padStart(2, '0')}`
    return (
      line(x.at(tick), bottom, x.at(tick), bottom + 5, 'axis') +
      text(x.at(tick), bottom + 18, label, { 'text-anchor': 'middle' })
    )
  })
  const meaning = 'time since the start, minutes:seconds'
  return ticks.join('') + text((left + right) / 2, bottom + 36, meaning, { 'text-anchor': 'middle' })
}
