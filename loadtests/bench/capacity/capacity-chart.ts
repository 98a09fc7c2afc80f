/** What N instances carry of each workload, as multiples of what the law says of one, and the law itself. */
import { SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import {
  heading,
  line,
  type Picture,
  pictureOption,
  roundScale,
  valueAxis,
} from '@hopwhistle/platform/document/chart/picture.ts'
import { COLOURS, LINE_COLOURS } from '@hopwhistle/platform/document/chart/theme.ts'
import { number } from '@hopwhistle/platform/document/figures.ts'
import { minute } from '@hopwhistle/platform/document/markdown.ts'
import type { CapacityResult } from './capacity-result.ts'
import { triedOf } from './measure-capacity.ts'
import { drawnModels, interval, loadOf, modelOf, workOf } from './model.ts'
import { capacityOf } from './next-rate-up.ts'
import { speedup } from './scalability-law.ts'

const SIZE = { width: 880, height: 380 }
const BOX = { left: 64, right: 32, top: 78, height: 250 }
/** Beyond those measured the law is extrapolated; so many more are drawn. */
const TIMES_MEASURED = 2

/** In multiples of what the law says of one instance. */
export type LawCurves = {
  /** The most instances that are drawn. */
  readonly most: number
  readonly law: readonly Xy[]
  /** 95 % of the draws lie between the two. */
  readonly low: readonly Xy[]
  readonly high: readonly Xy[]
  readonly workloads: readonly { readonly name: string; readonly points: readonly Xy[] }[]
}
type Xy = readonly [instances: number, times: number]

/** @returns undefined when there is no law */
export function lawCurves(result: CapacityResult): LawCurves | undefined {
  const model = modelOf(result)
  if (model === undefined) return undefined
  const most = TIMES_MEASURED * Math.max(...result.points.map(({ instances }) => instances))
  const counts = Array.from({ length: 4 * (most - 1) + 1 }, (_, i) => 1 + i / 4)
  const draws = drawnModels(result).map(({ law }) => law)
  const ranges = counts.map((n) => [n, ...interval(draws.map((law) => speedup(law, n)))] as const)
  return {
    most,
    law: counts.map((n) => [n, speedup(model.law, n)]),
    low: ranges.map(([n, low]) => [n, low]),
    high: ranges.map(([n, , high]) => [n, high]),
    workloads: [...model.law.lambda].map(([name, one]) => ({
      name: SCENARIOS[name as keyof typeof SCENARIOS].title,
      points: result.points.flatMap((point) => {
        const { held } = capacityOf(triedOf(point, result))
        if (point.scenario !== name || held === 0) return []
        const work = workOf(model, loadOf(point.scenario, held, point.subscribers))
        return [[point.instances, work / one] as const]
      }),
    })),
  }
}

/** @returns undefined when there is no law */
export function capacityChart(result: CapacityResult): Picture | undefined {
  const curves = lawCurves(result)
  if (curves === undefined) return undefined
  const { most, law, low, high } = curves
  const workloads = curves.workloads.map((one, i) => ({ ...one, color: LINE_COLOURS[i % LINE_COLOURS.length]! }))
  const title = 'What N instances carry, in multiples of one'
  const subtitle = `${number(result.coresEach, 2)} cores each · ${result.environment.name} · ${minute(result.startedAt)}`
  const dashed = { lineStyle: { type: [4, 4] as [number, number], width: 1, opacity: 0.7 } }
  const option = pictureOption(SIZE, {
    title,
    subtitle,
    headings: [heading('times one instance', 20, BOX.top - 13)],
    plots: [
      {
        box: BOX,
        x: { ...valueAxis((tick) => number(tick)), type: 'value', min: 1, max: most, interval: 1 },
        y: {
          ...valueAxis((tick) => number(tick)),
          type: 'value',
          ...roundScale(Math.max(...high.map(([, times]) => times)), 5),
        },
        series: [
          line('law', COLOURS.rate, law),
          { ...line('95 % of draws', COLOURS.quiet, low), ...dashed },
          { ...line('95 % of draws', COLOURS.quiet, high), ...dashed },
          ...workloads.map(({ name, color, points }) => ({
            ...line(name, color, points, 0),
            symbol: 'circle',
            symbolSize: 8,
          })),
        ],
      },
    ],
  })
  return {
    ...SIZE,
    title,
    description: `${subtitle}. ${workloads.map(({ name, points }) => `${name}: ${points.map(([n, times]) => `${n} carry ${number(times, 2)}`).join(', ')}`).join('. ')}.`,
    option: {
      ...option,
      legend: {
        right: 28,
        top: BOX.top - 20,
        itemWidth: 12,
        itemHeight: 8,
        padding: 0,
        data: ['law', '95 % of draws', ...workloads.map(({ name }) => name)].map((name) => ({
          name,
          textStyle: { color: COLOURS.text, fontSize: 11 },
        })),
      },
    },
  }
}
