/** A comparison as Markdown that fits into a pull request. */
import { figure, list, number, plural } from '@hopwhistle/platform/document/figures.ts'
import { blocks, bullets, minute, table } from '@hopwhistle/platform/document/markdown.ts'
import { median } from '../arithmetic.ts'
import type { Conclusion, MetricConclusion } from './conclude.ts'
import type { ComparisonRecord, Version } from './measured.ts'
import { type Answer, FALSE_REPETITION, FALSE_SUSPICION, MISS } from './statistics/decide.ts'

const SIGNS: Readonly<Record<Answer, string>> = { slower: '❌', faster: '✅', same: '✅', undecided: '⏳' }

/** @param margin the change that matters, 0.05 for 5 % */
export const renderSummary = (record: ComparisonRecord, conclusion: Conclusion, margin: number): string =>
  `${blocks(`# ${TITLE}`, renderAnswer(record, conclusion, margin))}\n`

export const TITLE = 'Did it get slower?'

/** The same without its title. */
export function renderAnswer(record: ComparisonRecord, conclusion: Conclusion, margin: number): string {
  const { versions, rounds, seed, machine, measuredAt, secondsTaken } = record
  const within = `±${figure(100 * margin)} %`
  return blocks(
    `${SIGNS[conclusion.answer]} **${headline(conclusion, within)}**`,
    `${nameOf(versions.head)} compared with ${nameOf(versions.base)}, in ${plural(rounds.length, 'round')} and ${number(secondsTaken / 60, 1)} minutes.`,
    table(
      ['Metric', 'Base', 'Head', 'Change', 'Interval', 'Answer', 'Smallest seen', 'Minutes to decide'],
      conclusion.metrics.map(rowOf),
      [1, 2, 3, 4, 6, 7],
    ),
    bullets([
      `Change: the median of the rounds. Interval: ${number(100 * (1 - 2 * MISS))} % confidence, valid whenever the run stops. Smallest seen: the slowdown that these rounds would have shown.`,
      `\`same\`: any change is inside ${within}. \`slower\` and \`faster\`: seen, and seen again on new servers; at most ${number(100 * FALSE_SUSPICION * FALSE_REPETITION)} of 100 comparisons of equal versions say so of any metric.`,
      loadLine(record),
      `Both versions ran at once. ${idleLine(record)}`,
      `${machine.cpuModel}, ${plural(machine.cores, 'core')}; ${minute(measuredAt)}; seed ${seed}.`,
    ]),
  )
}

function headline({ answer, metrics }: Conclusion, within: string): string {
  const those = (wanted: Answer) => metrics.filter((metric) => metric.answer === wanted)
  const named = (wanted: Answer) => list(those(wanted).map((one) => `${one.metric.label} (${change(one.change)})`))
  switch (answer) {
    case 'slower':
      return `Slower: ${named('slower')}.`
    case 'faster':
      return `Faster: ${named('faster')}. Nothing is slower.`
    case 'same':
      return `The same: every change is inside ${within}.`
    case 'undecided':
      return `Undecided: ${those('undecided').length} of ${plural(metrics.length, 'metric')}. ${untilDecided(those('undecided'))}.`
  }
}

function untilDecided(undecided: readonly MetricConclusion[]): string {
  const minutes = undecided.map(({ moreMinutes }) => moreMinutes)
  if (minutes.includes(undefined)) return 'It is too early to tell how many more minutes would decide'
  const most = Math.max(...(minutes as readonly number[]))
  return Number.isFinite(most)
    ? `About ${plural(Math.ceil(most), 'more minute')} would decide`
    : 'More minutes like these would not decide all of them'
}

function minutesText(minutes: number | undefined): string {
  if (minutes === undefined) return '?'
  if (minutes === 0) return ''
  return Number.isFinite(minutes) ? number(Math.ceil(minutes)) : 'never'
}

function rowOf(one: MetricConclusion): readonly string[] {
  const { metric, base, head, answer, suspected, moreMinutes, interval } = one
  const value = (of: number | undefined) => (of === undefined ? '–' : `${figure(of)} ${metric.unit}`.trim())
  return [
    metric.label,
    value(base),
    value(head),
    change(one.change),
    `${change(interval.low)} … ${change(interval.high)}`,
    `${SIGNS[answer]} ${answer}${suspected ? `, perhaps ${suspected.direction}` : ''}`,
    one.smallestSeen === undefined ? 'none' : change(one.smallestSeen),
    minutesText(moreMinutes),
  ]
}

/** `+5.0 %` of a log ratio; `?` where nothing is known. */
export function change(log: number | undefined): string {
  if (log === undefined) return '?'
  if (!Number.isFinite(log)) return log < 0 ? '-∞' : '+∞'
  const percent = 100 * (Math.exp(log) - 1)
  const text = number(percent, Math.abs(percent) < 10 ? 1 : 0)
  return `${percent > 0 && /[1-9]/.test(text) ? '+' : ''}${text} %`
}

export function nameOf({ ref, commit, dirty }: Version): string {
  const short = commit === undefined ? 'no commit' : `\`${commit.slice(0, 7)}\``
  if (ref === undefined) return `This checkout (${short}${dirty ? ' with changes' : ''})`
  return ref === commit ? short : `\`${ref}\` (${short})`
}

const loadLine = ({ load }: ComparisonRecord): string =>
  `Load of each version: ${number(load.eventsPerSecond)} events a second; ${number(load.reportsPerSecond)} reports a second; ` +
  `${number(load.messagesPerSecond)} messages a second to ${plural(load.subscribers, 'subscriber')}; each by itself, in windows of ${number(load.windowSeconds)} s.`

const BUSY = 0.05

function idleLine({ rounds }: ComparisonRecord): string {
  const shares = rounds.flatMap(({ windows }) => windows.map(({ idleShare }) => idleShare))
  if (shares.length === 0) return ''
  const idle = median(shares)
  const line = `CPU that was idle, in the median window: ${number(100 * idle)} %.`
  return idle < BUSY
    ? `${line} On a busy machine latencies show how it shares its CPU: a lower \`--load\` helps.`
    : line
}
