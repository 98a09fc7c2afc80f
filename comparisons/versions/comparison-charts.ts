/** A comparison as pictures: the changes next to the margin, the evidence round by round, and the latencies of the windows. */
import { figure, number } from '@hopwhistle/platform/document/figures.ts'
import {
  type Drawn,
  draw,
  type IntervalChart,
  shown,
  type XyChart,
} from '@hopwhistle/platform/document/page/page-chart.ts'
import type { Conclusion, MetricConclusion } from './conclude.ts'
import { KINDS, type Kind, type Round, SIDES } from './measured.ts'
import { effectsOf, type Metric, THING } from './metrics.ts'
import { change } from './render-summary.ts'
import { type Answer, type Course, courseOf, neededFor, type Rule } from './statistics/decide.ts'

const COLOURS: Readonly<Record<Answer, IntervalChart['rows'][number]['colour']>> = {
  slower: 'bad',
  faster: 'rate',
  same: 'p50',
  undecided: 'quiet',
}

/** Of a log ratio; null where there is none, or it has no end. */
const percent = (log: number | undefined): number | null =>
  log === undefined || !Number.isFinite(log) ? null : Number((100 * (Math.exp(log) - 1)).toPrecision(5))

/** As they are, not as they are worse. */
const changesOf = (metric: Metric, rounds: readonly Round[]): readonly number[] =>
  effectsOf(metric, rounds).map(({ effect }) => (metric.worse === 'more' ? effect : -effect))

export function changesChart({ metrics }: Conclusion, rounds: readonly Round[], margin: number): Drawn {
  const rows = metrics.map((one): IntervalChart['rows'][number] => ({
    name: one.metric.label,
    answer: answerText(one),
    colour: COLOURS[one.answer],
    value: percent(one.change),
    low: percent(one.interval.low),
    high: percent(one.interval.high),
    points: changesOf(one.metric, rounds).map((log) => percent(log) ?? 0),
  }))
  const reach = reachOf(rows, 100 * margin)
  return draw(
    {
      kind: 'intervals',
      id: 'changes',
      title: 'Changes',
      description: `The interval and the median of each metric, with a point for each round. In the shaded part a change is smaller than the margin, ${figure(100 * margin)} %. What is farther away is drawn at the edge.`,
      unit: '%',
      min: Math.max(-100, -reach),
      max: reach,
      margin: 100 * margin,
      names: { interval: 'interval', points: 'a round' },
      rows,
    },
    {
      header: ['Metric', 'Answer', 'Change', 'Low', 'High', 'Each round'],
      rows: metrics.map((one) => [
        one.metric.label,
        answerText(one),
        change(one.change),
        change(one.interval.low),
        change(one.interval.high),
        changesOf(one.metric, rounds).map(change).join(', '),
      ]),
    },
  )
}

const answerText = ({ answer, suspected }: MetricConclusion): string =>
  suspected === undefined ? answer : `${answer}, perhaps ${suspected.direction}`

/** In this part of the rows the picture shows the whole interval: the noisiest would make the others too small to see. */
const SHOWN_WHOLE = 0.8
const LEAST_MARGINS = 2.5
const FARTHEST = 100

function reachOf(rows: IntervalChart['rows'], margin: number): number {
  const ends = rows
    .map(({ low, high }) => Math.max(Math.abs(low ?? FARTHEST), Math.abs(high ?? FARTHEST)))
    .toSorted((a, b) => a - b)
  const end = ends[Math.ceil(SHOWN_WHOLE * ends.length) - 1] ?? 0
  return Math.ceil(Math.max(LEAST_MARGINS * margin, Math.min(FARTHEST, end)))
}

/** As many as there are colours that can be told apart. */
const MOST_LINES = 8
/** Less is no evidence at all, and how little it is does not matter. */
const LEAST_SHOWN = 0.01

type Line = { readonly name: string; readonly course: readonly number[] }

/** For and against each answer, after every round. */
export function evidenceCharts(rounds: readonly Round[], rule: Rule, metrics: readonly Metric[]): readonly Drawn[] {
  const needed = neededFor(rule)
  const courses = metrics.map((metric) => ({ metric, course: courseOf(effectsOf(metric, rounds), rule) }))
  const changes = courses.flatMap(({ metric, course }): Line[] =>
    (['slower', 'faster'] as const).map((direction) => ({
      name: `${metric.label}, ${direction}`,
      course: course[direction].evidence,
    })),
  )
  const same = courses.map(({ metric, course }): Line => ({ name: metric.label, course: sameOf(course) }))
  const most = (line: Line) => Math.max(...line.course)
  const chart = (id: string, title: string, description: string, lines: readonly Line[], enough: number): Drawn => {
    const shownLines = lines.slice(0, MOST_LINES)
    const time: XyChart = {
      kind: 'xy',
      id,
      group: 'rounds',
      title,
      description,
      x: roundAxis(rounds),
      unit: 'e-value',
      log: true,
      series: shownLines.map(({ name, course }) => ({
        name,
        mark: 'line',
        points: course.map((value, i) => [i + 1, Number(Math.max(LEAST_SHOWN, value).toPrecision(4))]),
      })),
      targets: [{ value: enough, text: `enough: ${number(enough)}`, colour: 'bad' }],
    }
    return draw(time, {
      header: ['Round', ...shownLines.map(({ name }) => name)],
      rows: rounds.map((_, i) => [i + 1, ...shownLines.map(({ course }) => eValue(course[i]))]),
    })
  }
  return [
    chart(
      'evidence-change',
      'Evidence of a change',
      `The ${MOST_LINES} with the most. Equal versions reach the dashed line in at most 1 of 10 comparisons, in any metric. It has to be seen again on new servers.`,
      changes.toSorted((a, b) => most(b) - most(a)),
      needed.suspicion,
    ),
    chart(
      'evidence-same',
      'Evidence that any change is smaller than the margin',
      `The ${MOST_LINES} with the least, each in the direction that has less. A line that reaches the dashed one once is the same.`,
      same.toSorted((a, b) => most(a) - most(b)),
      needed.same,
    ),
  ]
}

const sameOf = ({ notSlower, notFaster }: Course): readonly number[] =>
  notSlower.map((value, i) => Math.min(value, notFaster[i] ?? 0))

/** `0.042`, `24`, `1,204`, `2.1e+15`. */
export const eValue = (value: number | undefined): string =>
  value === undefined ? '–' : value >= 1e6 || (value > 0 && value < 0.001) ? value.toExponential(1) : figure(value)

const roundAxis = (rounds: readonly Round[]) => ({ name: 'round', min: 0.5, max: rounds.length + 0.5, whole: true })

const PERCENTILES = [
  ['p50', 'p50Ms'],
  ['p95', 'p95Ms'],
  ['p99', 'p99Ms'],
] as const

/** A chart for each kind of load, with a point for each window and version. */
export const latencyCharts = (rounds: readonly Round[]): readonly Drawn[] =>
  KINDS.flatMap((kind) => {
    const windows = windowsOf(kind, rounds)
    if (windows.length === 0) return []
    const chart: XyChart = {
      kind: 'xy',
      id: `latency-${kind}`,
      group: 'rounds',
      title: `${THING[kind].title}: latency`,
      description: `Of each window of a round, in both versions at once. Base is hollow, head is filled.`,
      x: roundAxis(rounds),
      unit: 'ms',
      log: true,
      series: PERCENTILES.flatMap(([name, key]) =>
        SIDES.map((side) => ({
          name: `${side} ${name}`,
          colour: name,
          mark: side === 'base' ? ('circles' as const) : ('dots' as const),
          points: windows.map(({ at, sides }) => {
            const value = sides[side].latency[key]
            // A logarithm of 0 has no place in the picture.
            return [at, value > 0 ? Number(value.toPrecision(4)) : null] as const
          }),
        })),
      ),
    }
    const columns = PERCENTILES.flatMap(([name, key]) =>
      SIDES.map((side) => ({ name: `${side} ${name}, ms`, side, key })),
    )
    return [
      draw(chart, {
        header: ['Round', 'Window', ...columns.map(({ name }) => name), 'Idle CPU, %'],
        rows: windows.map(({ round, window, sides, idleShare }) =>
          shown([round, window, ...columns.map(({ side, key }) => sides[side].latency[key]), 100 * idleShare]),
        ),
      }),
    ]
  })

/** Those of one kind, next to each other around the number of their round. */
const windowsOf = (kind: Kind, rounds: readonly Round[]) =>
  rounds.flatMap(({ windows }, i) => {
    const those = windows.filter((window) => window.kind === kind)
    return those.map((pair, j) => ({
      ...pair,
      round: i + 1,
      window: j + 1,
      at: Number((i + 1 + (0.6 * (j + 0.5)) / those.length - 0.3).toFixed(3)),
    }))
  })
