/** The charts of a capacity measurement: the law, what it predicts, every step, and the CPU that steps took. */
import { SCENARIOS, type ScenarioName, TRAFFIC, trafficIn } from '@hopwhistle/contract/scenarios.ts'
import { renderSvg } from '@hopwhistle/platform/document/chart/render-svg.ts'
import { figure, number, percent, plural } from '@hopwhistle/platform/document/figures.ts'
import { Html, html } from '@hopwhistle/platform/document/html.ts'
import {
  type Drawn,
  draw,
  type IntervalChart,
  shown,
  type XyChart,
} from '@hopwhistle/platform/document/page/page-chart.ts'
import type { Outcome } from '../evidence/verdict.ts'
import { rounded } from '../findings/stat.ts'
import { capacityChart, lawCurves } from './capacity-chart.ts'
import type { CapacityResult, CapacityStep, Point } from './capacity-result.ts'
import { triedOf } from './measure-capacity.ts'
import { drawnModels, interval, modelOf, predictedRate } from './model.ts'
import { capacityOf } from './next-rate-up.ts'

/** What a prediction may be off by. */
export const CHECK_MARGIN = 0.15
/** So many draws are shown, a point each. */
const DRAWS_SHOWN = 20

type Xy = readonly [number, number]
const roundedXy = (points: readonly Xy[]): readonly Xy[] => points.map(([x, y]) => [x, rounded(y)])

/** Without a script, the picture of the document is there instead. @returns nothing when there is no law */
export function lawChart(result: CapacityResult): readonly Drawn[] {
  const curves = lawCurves(result)
  const picture = capacityChart(result)
  if (curves === undefined || picture === undefined) return []
  const { most, law, low, high, workloads } = curves
  const chart: XyChart = {
    kind: 'xy',
    id: 'law-chart',
    title: 'What N instances carry, in multiples of one',
    description: `With ${figure(result.coresEach)} cores each. Beyond those measured, the law is extrapolated; 95 % of the draws lie between the dashed lines.`,
    x: { name: 'instances', min: 1, max: most, whole: true },
    unit: 'times',
    series: [
      { name: 'law', colour: 'rate', mark: 'line', points: roundedXy(law) },
      { name: 'lower end', colour: 'quiet', mark: 'dashes', points: roundedXy(low) },
      { name: 'upper end', colour: 'quiet', mark: 'dashes', points: roundedXy(high) },
      ...workloads.map(({ name, points }) => ({ name, mark: 'dots' as const, points: roundedXy(points) })),
    ],
  }
  const whole = law.flatMap(([n, times], i) =>
    Number.isInteger(n) ? [[n, times, low[i]?.[1], high[i]?.[1]] as const] : [],
  )
  const drawn = draw(chart, {
    header: ['Instances', 'Law', 'Lower end', 'Upper end', ...workloads.map(({ name }) => name)],
    rows: whole.map((row) => [
      ...shown(row.map((value) => value ?? null)),
      ...workloads.map(({ points }) => {
        const those = points.filter(([n]) => n === row[0]).map(([, times]) => number(times, 2))
        return those.length === 0 ? '–' : those.join(', ')
      }),
    ]),
  })
  return [{ chart, figure: html`${drawn.figure}<noscript>${new Html(renderSvg(picture))}</noscript>` }]
}

/** A prediction of what the model does not know, and how it fared. */
export type Check = { readonly point: Point; readonly held: number; readonly predicted: number; readonly off: number }

/** Also of the points that the model is made from, which it is to describe. Those of which no rate held are not there. */
export function checksOf(result: CapacityResult): readonly Check[] {
  const model = modelOf(result)
  if (model === undefined) return []
  return result.points.flatMap((point) => {
    const { held } = capacityOf(triedOf(point, result))
    if (held === 0) return []
    const predicted = predictedRate(model, point)
    return [{ point, held, predicted, off: predicted / held - 1 }]
  })
}

export function predictionChart(result: CapacityResult, checks: readonly Check[]): readonly Drawn[] {
  if (checks.length === 0) return []
  const draws = drawnModels(result)
  const rows = checks.map(({ point, held, off }): IntervalChart['rows'][number] => {
    const all = draws.map((one) => 100 * (predictedRate(one, point) / held - 1))
    const [low, high] = interval(all)
    const isInside = Math.abs(off) <= CHECK_MARGIN
    return {
      name: pointText(point),
      answer: point.role === 'fit' ? 'part of the model' : isInside ? 'predicted' : 'not predicted',
      colour: point.role === 'fit' ? 'quiet' : isInside ? 'rate' : 'bad',
      value: rounded(100 * off),
      low: endOf(low),
      high: endOf(high),
      points: all.slice(0, DRAWS_SHOWN).map(rounded),
    }
  })
  const reach = Math.min(
    100,
    Math.max(250 * CHECK_MARGIN, ...rows.flatMap(({ low, high }) => [-(low ?? 0), high ?? 0])),
  )
  return [
    draw(
      {
        kind: 'intervals',
        id: 'predictions',
        title: 'Predicted compared with measured',
        description: `How far the model is from the rate that held. In the shaded part it is less than ${percent(CHECK_MARGIN)}. Points are ${DRAWS_SHOWN} of the draws.`,
        unit: '%',
        min: -Math.ceil(reach),
        max: Math.ceil(reach),
        margin: 100 * CHECK_MARGIN,
        names: { interval: '95 % of the draws', points: 'a draw' },
        rows,
      },
      {
        header: ['Workload', 'Predicted, /s', 'Measured, /s', 'Difference, %', 'Lower end, %', 'Upper end, %', 'Point'],
        rows: rows.map(({ name, answer, value, low, high }, i) => {
          const { predicted, held } = checks[i] as Check
          return [name, ...shown([predicted, held, value, low, high]), answer]
        }),
      },
    ),
  ]
}

const endOf = (value: number): number | null => (Number.isFinite(value) ? rounded(value) : null)

export const pointText = ({ scenario, instances, subscribers }: Point): string =>
  `${SCENARIOS[scenario].title}${subscribers === undefined ? '' : ` to ${number(subscribers)} subscribers`}, ${plural(instances, 'instance')}`

const OUTCOMES: readonly (readonly [Outcome, 'rate' | 'bad' | 'quiet', 'dots' | 'circles'])[] = [
  ['met', 'rate', 'dots'],
  ['missed', 'bad', 'circles'],
  ['invalid', 'quiet', 'circles'],
]
const PARTS = ['api', 'primary', 'replica', 'redis', 'k6', 'machine'] as const

/** Every rate that was tried of a workload, and the CPU that it took. */
export const stepCharts = (result: CapacityResult): readonly Drawn[] =>
  [...new Set(result.points.map(({ scenario }) => scenario))].flatMap((scenario) => {
    const steps = result.points.filter((point) => point.scenario === scenario).flatMap(stepsOf)
    if (steps.length === 0) return []
    const { title } = SCENARIOS[scenario]
    const { unit } = TRAFFIC[trafficIn(scenario)[0]].rate
    return [triedChart(scenario, title, unit, steps), cpuChart(scenario, title, unit, steps)]
  })

type Placed = { readonly point: Point; readonly step: CapacityStep; readonly at: number; readonly number: number }

/** Next to each other, around the number of their instances. */
const stepsOf = (point: Point): readonly Placed[] =>
  point.steps.map((step, i) => ({
    point,
    step,
    number: i + 1,
    at: rounded(point.instances + (0.6 * (i + 0.5)) / point.steps.length - 0.3),
  }))

function triedChart(scenario: ScenarioName, title: string, unit: string, steps: readonly Placed[]): Drawn {
  const counts = steps.map(({ point }) => point.instances)
  const chart: XyChart = {
    kind: 'xy',
    id: `tried-${scenario}`,
    title: `${title}: rates tried`,
    description: 'Each step of the search, in its order, by the number of instances.',
    x: { name: 'instances', min: Math.min(...counts) - 0.5, max: Math.max(...counts) + 0.5, whole: true },
    unit,
    series: OUTCOMES.flatMap(([outcome, colour, mark]) => {
      const points = steps
        .filter(({ step }) => step.outcome === outcome)
        .map(({ at, step }) => [at, step.ratePerSecond] as const)
      return points.length === 0 ? [] : [{ name: outcome, colour, mark, points: points.toSorted(([a], [b]) => a - b) }]
    }),
  }
  return draw(chart, {
    header: ['Point', 'Step', `Rate, ${unit}`, 'Outcome', 'Why not', 'Limited by'],
    rows: steps.map(({ point, number: place, step }) => [
      pointText(point),
      place,
      number(step.ratePerSecond),
      step.outcome,
      step.why ?? '',
      step.use?.limitedBy ?? '',
    ]),
  })
}

function cpuChart(scenario: ScenarioName, title: string, unit: string, steps: readonly Placed[]): Drawn {
  const used = steps
    .flatMap(({ point, step }) => (step.use === undefined ? [] : [{ point, step, use: step.use }]))
    .toSorted((a, b) => a.step.ratePerSecond - b.step.ratePerSecond)
  const chart: XyChart = {
    kind: 'xy',
    id: `cpu-${scenario}`,
    title: `${title}: CPU by rate`,
    description: 'Of each step, in cores: the API with all its instances, and the whole machine.',
    x: { name: unit, min: 0, max: Math.ceil(1.05 * Math.max(1, ...steps.map(({ step }) => step.ratePerSecond))) },
    unit: 'cores',
    series: PARTS.map((part) => ({
      name: part,
      mark: 'dots',
      points: used.map(({ step, use }) => [rounded(step.ratePerSecond), rounded(use.cpu[part])] as const),
    })),
  }
  return draw(chart, {
    header: [
      'Point',
      `Rate, ${unit}`,
      'Events/s',
      'Reports/s',
      'Subscribers',
      ...PARTS.map((part) => `${part}, cores`),
      'Connections',
    ],
    rows: used.map(({ point, step, use }) => [
      pointText(point),
      ...shown([
        step.ratePerSecond,
        use.events,
        use.reports,
        use.subscribers,
        ...PARTS.map((part) => use.cpu[part]),
        use.connections,
      ]),
    ]),
  })
}
