/** A few lines for the person who ran k6 by hand: this runner's figures beside the targets. */
import {
  rateOf,
  type ScenarioName,
  TRAFFIC,
  type TrafficKind,
  targetsOf,
  trafficIn,
} from './contract.scenarios.ts'
import type { HistogramData, K6Result, RunnerResult } from './loadtests.results-format.ts'
import { percentileMs } from './lib.histogram.ts'
import { peakSecondsOf } from './lib.phases.ts'
import { countOf, latencyOf } from './lib.totals.ts'

/** One figure of the summary, and whether it met its target. */
export type Figure = { readonly text: string; readonly ok: boolean; readonly target: string }

export function summaryText(result: K6Result, file: string): string {
  const lines = result.runners.map((runner) => {
    const figures = trafficIn(result.scenario).map((kind) => figuresOf(result.scenario, kind, runner))
    return figures
      .map((those, i) => [(i === 0 ? result.scenario : '').padEnd(19), ...those.map(figureText)].join('   '))
      .concat(failures(runner).map((failure) => `  ${failure}`))
      .join('\n  ')
  })
  const several = result.expectedRunners > 1 ? `  one of ${result.expectedRunners} runners: its share only\n` : ''
  const smoke = result.profile === 'smoke' ? '  profile smoke: proves nothing about the targets\n' : ''
  return `\n${lines.map((line) => `  ${line}`).join('\n')}\n${several}${smoke}  result: ${file}\n`
}

const figureText = ({ text, ok, target }: Figure): string => `${text} ${ok ? '✓' : '✗'} ${target}`

function figuresOf(scenario: ScenarioName, kind: TrafficKind, runner: RunnerResult): readonly Figure[] {
  const { rate, counters, latency } = TRAFFIC[kind]
  const targets = targetsOf(scenario)[kind]
  if (targets === undefined) return []
  const { settings } = runner
  const seconds = peakSecondsOf(settings.phases)
  const ok = countOf(runner, `${counters.ok}_peak`)
  const share = rateOf(scenario, kind, settings.targetPerSecond) / (settings.parallelism ?? 1)
  return [
    perSecond(ok / seconds, rate.short, share),
    ...latencies(latencyOf(latency, runner, 'peak'), [
      [50, targets.p50Ms],
      [95, targets.p95Ms],
      [99, targets.p99Ms],
    ]),
    'deliveryPercent' in targets
      ? percentage(countOf(runner, 'messages_delivered'), countOf(runner, 'messages_due'), targets.deliveryPercent)
      : percentage(ok, countOf(runner, `${kind}_sent_peak`), targets.successPercent),
  ]
}

const perSecond = (rate: number, unit: string, share: number): Figure => ({
  text: `${rate.toFixed(1)} ${unit}`,
  ok: rate >= share,
  target: `≥${Math.round(share)}`,
})

function latencies(histogram: HistogramData, targets: readonly (readonly [number, number | undefined])[]): Figure[] {
  return targets.flatMap(([percent, targetMs]) => {
    if (targetMs === undefined) return []
    const ms = percentileMs(histogram, percent)
    const text = ms === undefined ? 'no samples' : `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`
    return [{ text: `p${percent} ${text}`, ok: ms !== undefined && ms < targetMs, target: `<${targetMs}` }]
  })
}

function percentage(part: number, whole: number, target: number): Figure {
  const percent = whole === 0 ? 0 : (100 * part) / whole
  return { text: `${percent.toFixed(2)} %`, ok: whole > 0 && percent > target, target: `>${target} %` }
}

function failures({ thresholds }: RunnerResult): string[] {
  return thresholds.filter(({ ok }) => !ok).map(({ metric, expression }) => `missed: ${metric} ${expression}`)
}
