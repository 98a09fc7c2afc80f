/** A few lines for the person who ran k6 by hand: this runner's figures beside the targets. */
import { SLOS } from './contract.slos.ts'
import type { HistogramData, LoadtestResult, RunnerResult } from './loadtests.results-format.ts'
import { mergeHistograms, percentileMs } from './lib.histogram.ts'
import { peakSecondsOf } from './lib.phases.ts'

/** One figure of the summary, and whether it met its target. */
export type Figure = { readonly text: string; readonly ok: boolean; readonly target: string }

export function summaryText(result: LoadtestResult, file: string): string {
  const lines = result.runners.map((runner) => {
    const figures = figuresOf(result.scenario, runner)
    return [result.scenario.padEnd(19), ...figures.map(({ text, ok, target }) => `${text} ${ok ? '✓' : '✗'} ${target}`)]
      .join('   ')
      .concat(...failures(runner).map((failure) => `\n    ${failure}`))
  })
  const several = result.expectedRunners > 1 ? `  one of ${result.expectedRunners} runners: its share only\n` : ''
  const smoke = result.profile === 'smoke' ? '  profile smoke: proves nothing about the targets\n' : ''
  return `\n${lines.map((line) => `  ${line}`).join('\n')}\n${several}${smoke}  result: ${file}\n`
}

function figuresOf(scenario: string, runner: RunnerResult): readonly Figure[] {
  const { counters: c, histograms, settings } = runner
  const seconds = peakSecondsOf(settings.phases)
  const count = (name: string) => c[name] ?? 0
  if (scenario === 'call-state-updates') {
    const slo = SLOS[scenario]
    return [
      rate(count('updates_ok_peak') / seconds, 'upd/s', settings),
      ...latencies(histograms.update_latency_peak, [
        [95, slo.p95Ms],
        [99, slo.p99Ms],
      ]),
      percentage(count('updates_ok_peak'), count('updates_sent_peak'), slo.successPercent),
    ]
  }
  if (scenario === 'reporting-endpoints') {
    const slo = SLOS[scenario]
    const all = Object.entries(histograms).filter(([name]) => /^report_latency_.+_peak$/.test(name))
    return [
      rate(count('reports_ok_peak') / seconds, 'req/s', settings),
      ...latencies(mergeHistograms(all.map(([, histogram]) => histogram)), [
        [50, slo.p50Ms],
        [95, slo.p95Ms],
        [99, slo.p99Ms],
      ]),
      percentage(count('reports_ok_peak'), count('reports_sent_peak'), slo.successPercent),
    ]
  }
  const slo = SLOS['redis-pubsub']
  return [
    rate(count('messages_published_peak') / seconds, 'msg/s', settings),
    ...latencies(histograms.delivery_latency_peak, [
      [50, slo.p50Ms],
      [95, slo.p95Ms],
      [99, slo.p99Ms],
    ]),
    percentage(count('messages_delivered'), count('messages_due'), slo.deliveryPercent),
  ]
}

function rate(perSecond: number, unit: string, settings: RunnerResult['settings']): Figure {
  const share = settings.targetPerSecond / Number(settings.parallelism ?? 1)
  return { text: `${perSecond.toFixed(1)} ${unit}`, ok: perSecond >= share, target: `≥${Math.round(share)}` }
}

function latencies(histogram: HistogramData | undefined, targets: readonly (readonly [number, number])[]): Figure[] {
  return targets.map(([percent, targetMs]) => {
    const ms = histogram === undefined ? undefined : percentileMs(histogram, percent)
    const text = ms === undefined ? 'no samples' : `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`
    return { text: `p${percent} ${text}`, ok: ms !== undefined && ms < targetMs, target: `<${targetMs}` }
  })
}

function percentage(part: number, whole: number, target: number): Figure {
  const percent = whole === 0 ? 0 : (100 * part) / whole
  return { text: `${percent.toFixed(2)} %`, ok: whole > 0 && percent > target, target: `>${target} %` }
}

function failures({ thresholds }: RunnerResult): string[] {
  return thresholds.filter(({ ok }) => !ok).map(({ metric, expression }) => `missed: ${metric} ${expression}`)
}
