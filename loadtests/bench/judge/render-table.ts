/**
 * The verdicts as a person at a terminal reads them: a line for each scenario, with unit and target next to each figure,
 * then what limited it, and what to do next.
 */

import { TRAFFIC, type TrafficKind, trafficIn } from '@hopwhistle/contract/scenarios.ts'
import { list, number, plural } from '@hopwhistle/platform/document/figures.ts'
import { hasCrashed } from '../evidence/evidence.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { measuredText, targetText } from '../evidence/metric-text.ts'
import type { Carried, Metric, MetricName, Outcome, Step, Verdict } from '../evidence/verdict.ts'
import { factsOf } from '../findings/facts-of.ts'
import { find } from '../findings/find.ts'
import { judge } from './judge.ts'

export type TableOptions = {
  readonly colour: boolean
  /** What would have kept these results as a baseline and written the document; absent when that was done. */
  readonly keptBy?: string | undefined
}

/** The places of a line, so that the same figure of all scenarios stands in one column. */
const PLACES: readonly (readonly MetricName[])[] = [['rate'], ['p50'], ['p95'], ['p99'], ['success', 'delivery']]
const UNITS: ReadonlyMap<string, string> = new Map(Object.values(TRAFFIC).map(({ rate }) => [rate.unit, rate.short]))
const SIGNS: Readonly<Record<Outcome, string>> = { met: '✓', missed: '✗', invalid: '!' }
const CODES = { met: '32', missed: '31', invalid: '33', quiet: '2', strong: '1' } as const
const GAP = '  '
const LONGEST_REASON = 108

/** @param results each with its verdict; one without is judged */
export function renderTable(results: readonly LoadtestResult[], { colour, keptBy }: TableOptions): string {
  const paint = (style: keyof typeof CODES, text: string) => (colour ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text)
  const rows = results.map((result) => ({ result, verdict: verdictOf(result) }))
  const nameWidth = Math.max(10, ...rows.map(({ verdict }) => verdict.scenario.length))
  // A scenario that carries several kinds of traffic has a line of figures for each.
  const lines = rows.flatMap(({ verdict }) =>
    trafficIn(verdict.scenario).map((kind, i) => ({ verdict, of: i === 0 ? undefined : kind })),
  )
  const columns = PLACES.map((names) => lines.map(({ verdict, of }) => pieces(verdict.metrics, names, of)))
  const widths = columns.map((cells) =>
    [0, 1, 2].map((part) => Math.max(...cells.map((cell) => cell?.[part]?.length ?? 0))),
  )

  const figuresOf = (line: number): string => {
    const cells = columns.map((column, place) => {
      const [label = 0, value = 0, target = 0] = widths[place] ?? []
      const cell = column[line]
      if (label + value + target === 0) return undefined
      if (cell === undefined) return ' '.repeat(label + value + target + 3 + (label > 0 ? 1 : 0))
      const [name, measured, goal, status] = cell
      const before = label > 0 ? `${name.padEnd(label)} ` : ''
      return `${before}${measured.padStart(value)} ${paint(status, SIGNS[status])} ${paint('quiet', goal.padEnd(target))}`
    })
    return cells.filter((cell) => cell !== undefined).join(GAP)
  }

  const texts = rows.flatMap(({ result, verdict }) => {
    const figures = lines.flatMap((line, i) => {
      if (line.verdict !== verdict) return []
      const name = line.of ?? verdict.scenario
      return [
        `  ${paint(line.of === undefined ? 'strong' : 'quiet', name.padEnd(nameWidth))}${GAP}${figuresOf(i)}`.trimEnd(),
      ]
    })
    const label = (text: string) => `  ${paint('quiet', text.padEnd(nameWidth))}${GAP}`
    return [
      ...figures,
      ...(verdict.carried === undefined ? [] : [`${label('carried')}${carriedLine(verdict.carried, verdict.metrics)}`]),
      ...wrap(limitedBy(result, verdict), LONGEST_REASON).map(
        (part, i) => `${label(i > 0 ? '' : 'limited by')}${part}`,
      ),
      ...verdict.reasons
        .filter(({ effect }) => effect !== 'missed')
        .flatMap(({ effect, text }) =>
          wrap(text, LONGEST_REASON).map((part, i) =>
            i > 0
              ? `${label('')}${part}`
              : `  ${paint(effect === 'invalid' ? 'invalid' : 'quiet', effect.padEnd(nameWidth))}${GAP}${part}`,
          ),
        ),
      '',
    ]
  })
  const verdicts = rows.map(({ verdict }) => verdict)
  return `${texts.join('\n')}\n  ${nextStep(verdicts, keptBy)}\n`
}

export const verdictOf = (result: LoadtestResult): Verdict => result.verdict ?? judge(result)

type Piece = readonly [label: string, measured: string, target: string, status: Outcome]

function pieces(
  metrics: readonly Metric[],
  names: readonly MetricName[],
  kind: TrafficKind | undefined,
): Piece | undefined {
  const metric = metrics.find(({ name, of }) => names.includes(name) && of === kind)
  if (metric === undefined) return undefined
  const percentile = metric.unit === 'ms' ? metric.name : ''
  const unit = UNITS.get(metric.unit) ?? metric.unit
  const measured = metric.measured === undefined ? 'no samples' : `${measuredText(metric)} ${unit}`
  return [percentile, measured, `${targetText(metric)}${metric.unit === '%' ? ' %' : ''}`, metric.status]
}

function limitedBy(result: LoadtestResult, verdict: Verdict): string {
  if (verdict.carried !== undefined) {
    const { limitedAtPerSecond, limitedBy } = verdict.carried
    return `at ${number(limitedAtPerSecond)} a second: ${limitedBy}`
  }
  if (hasCrashed(result)) return 'not known: k6 left no result'
  const generatorOnSameMachine = result.environment?.stack.generatorOnSameMachine ?? true
  return find(factsOf(result), verdict, { generatorOnSameMachine }).limitedBy
}

/** The largest rate that held, with its latencies, and what was tried. */
function carriedLine({ ratePerSecond, metrics, steps }: Carried, whole: readonly Metric[]): string {
  const unit = whole.find(({ name }) => name === 'rate')?.unit ?? 'a second'
  const most = ratePerSecond === 0 ? 'no rate that was tried' : `${number(ratePerSecond)} ${unit}`
  const latencies = metrics.filter((metric) => metric.unit === 'ms').map((m) => `${m.name} ${measuredText(m)} ms`)
  return `${[most, ...latencies].join(', ')}; tried: ${stepsText(steps)}`
}

/** `250 held, 375 missed and 310 held` */
export const stepsText = (steps: readonly Step[]): string =>
  list(steps.map(({ ratePerSecond, outcome }) => `${number(ratePerSecond)} ${STEP_OUTCOMES[outcome]}`))

const STEP_OUTCOMES: Readonly<Record<Outcome, string>> = { met: 'held', missed: 'missed', invalid: 'invalid' }

/** What to do now, as one sentence: it leads to the document only when that tells of these results. */
export function nextStep(verdicts: readonly Verdict[], keptBy?: string): string {
  const metrics = verdicts.flatMap((verdict) => verdict.metrics)
  if (metrics.length === 0) return 'Nothing was measured. Next: `make baseline`'
  if (verdicts.some(({ outcome }) => outcome === 'invalid')) {
    const which = verdicts.filter(({ outcome }) => outcome === 'invalid').map(({ scenario }) => scenario)
    return `Invalid: ${which.join(', ')}. Next: fix the reasons above and run again`
  }
  const missed = metrics.filter(({ status }) => status === 'missed').length
  if (missed > 0) {
    const advice = 'the recommendations in docs/performance-baselines.md'
    return `${number(missed)} of ${plural(metrics.length, 'target')} missed. Next: ${keptBy === undefined ? advice : `${keptBy} writes ${advice}`}`
  }
  if (verdicts.some(({ profile }) => profile === 'smoke')) {
    return 'Everything works together. A smoke run proves no more; next: `make baseline` measures the targets'
  }
  const changes = '`git diff docs/performance-baselines.md` shows what changed'
  return `All ${plural(metrics.length, 'target')} met. Next: ${keptBy === undefined ? changes : `${keptBy} keeps this as a baseline`}`
}

/** Lines of whole words; a longer word has a line of its own. */
export function wrap(text: string, width: number): readonly string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines
}
