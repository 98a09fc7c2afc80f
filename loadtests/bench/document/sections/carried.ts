import { list, number } from '@hopwhistle/platform/document/figures.ts'
import { measuredWithUnit } from '../../evidence/metric-text.ts'
import { type Carried, isFullLoadValid, type Verdict } from '../../evidence/verdict.ts'
import { stepsText } from '../../judge/render-table.ts'

/** Below the table of a scenario that did not reach its targets: the largest rate that did, and how it was found. */
export function carriedNote(
  { ratePerSecond, metrics, limitedAtPerSecond, limitedBy, steps }: Carried,
  verdict: Verdict,
): string {
  const unit = verdict.metrics.find(({ name }) => name === 'rate')?.unit ?? 'a second'
  const others = metrics
    .filter(({ name }) => name !== 'rate')
    .map((m) => `${m.label.toLowerCase()} ${measuredWithUnit(m)}`)
  const answer =
    ratePerSecond === 0
      ? '**No rate that was tried met every target.**'
      : `**${number(ratePerSecond)} ${unit} are carried** with every other target met: ${list(others)}.`
  const whole = isFullLoadValid(verdict)
    ? 'The other figures in the table are of the full load.'
    : 'The other figures in the table are of the full load, whose evidence is not valid: they prove nothing.'
  return (
    `${answer} Short steps at smaller rates found it: ${stepsText(steps)}. ` +
    `What limited it, at ${number(limitedAtPerSecond)} ${unit}: ${limitedBy}. ${whole}`
  )
}
