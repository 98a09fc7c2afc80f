/**
 * The verdict on profile breakpoint: at which rate a target broke while the rate rose, and what was used up first.
 *
 * It is about the rate alone: met when every target held up to the rate that the contract asks for.
 */
import { rateOf, TRAFFIC, trafficIn } from '@hopwhistle/contract/scenarios.ts'
import { list, number, percent } from '@hopwhistle/platform/document/figures.ts'
import { breaksAt, type RateWindow, rateWindows } from '../evidence/broken-targets.ts'
import { evidenceOf } from '../evidence/evidence.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { type Metric, meets, type Reason, type Verdict } from '../evidence/verdict.ts'
import { factsOf } from '../findings/facts-of.ts'
import type { Resource } from '../findings/resource.ts'
import { isSaturated, resourcesOf } from '../findings/resources.ts'
import { rulesFor } from './rules/rules.ts'

export type Breakpoint = {
  /** The highest rate at which every target held, of the first kind of traffic. */
  readonly heldPerSecond: number
  /** Absent when the ramp ended before a target broke. */
  readonly broke?: { readonly ratePerSecond: number; readonly targets: readonly string[] }
  /** What was used up, until then and shortly after, in the order in which that happened. */
  readonly saturated: readonly (Pick<Resource, 'name' | 'use'> & { readonly ratePerSecond: number })[]
}

export function breakpointOf(result: LoadtestResult): Breakpoint {
  const windows = rateWindows(result.scenario, result.series ?? [])
  const at = breaksAt(windows)
  const until = at < 0 ? windows : windows.slice(0, at + 2)
  const held = at < 0 ? windows : windows.slice(0, at)
  const broke = windows[at]
  return {
    heldPerSecond: Math.max(0, ...held.map(({ ratePerSecond }) => ratePerSecond)),
    ...(broke === undefined ? {} : { broke: { ratePerSecond: broke.ratePerSecond, targets: broke.broken } }),
    saturated: saturatedIn(result, until),
  }
}

function saturatedIn(result: LoadtestResult, windows: readonly RateWindow[]): Breakpoint['saturated'] {
  const found = new Map<string, Breakpoint['saturated'][number]>()
  for (const window of windows) {
    for (const resource of resourcesOf(factsOf(during(result, window))).filter(isSaturated)) {
      const { name, use } = resource
      if (!found.has(name)) found.set(name, { name, use, ratePerSecond: window.ratePerSecond })
    }
  }
  return [...found.values()]
}

/** The run as if that window had been its peak: facts are those of the peak. */
function during(result: LoadtestResult, { from, to }: RateWindow): LoadtestResult {
  const runners = result.runners.map((runner) => {
    const start = Date.parse(runner.startedAt)
    const phases = [{ name: 'peak' as const, fromSeconds: (from - start) / 1000, toSeconds: (to - start) / 1000 }]
    return { ...runner, settings: { ...runner.settings, phases } }
  })
  return { ...result, runners }
}

/** Rules about a load that is held at its peak: this one rises until something gives way, and is stopped then. */
const NOT_ABOUT_A_RAMP: ReadonlySet<string> = new Set([
  'runner-error',
  'cut-short',
  'smaller-load',
  'dropped-iterations',
  'offered-rate',
  'schedule-lag',
  'receive-lag',
  'generator-cpu',
  'node-cpu',
  'requests-add-up',
  'buckets-add-up',
  'percentile-grid',
  'no-samples',
  'deliveries-add-up',
  'subscribers-lost',
  'api-counters',
  'database-rows',
  'smoke-profile',
])

export function judgeBreakpoint(result: LoadtestResult): Verdict {
  const { scenario, profile, series = [] } = result
  const found = rulesFor(result)
    .filter(({ name }) => !NOT_ABOUT_A_RAMP.has(name))
    .flatMap((rule) => rule.check(evidenceOf(result)).map((reason): Reason => ({ rule: rule.name, ...reason })))
  const reasons: Reason[] =
    series.length === 0
      ? [
          ...found,
          {
            rule: 'breakpoint',
            effect: 'invalid',
            text: 'k6 was not followed while it ran: it is not known when a target broke',
          },
        ]
      : found
  const isInvalid = reasons.some(({ effect }) => effect === 'invalid')
  const breakpoint = breakpointOf(result)
  const { label, unit } = TRAFFIC[trafficIn(scenario)[0]].rate
  const rate: Omit<Metric, 'status'> = {
    name: 'rate',
    label,
    unit,
    target: rateOf(scenario),
    comparison: '>=',
    measured: breakpoint.heldPerSecond,
  }
  const status = isInvalid ? 'invalid' : meets(rate) ? 'met' : 'missed'
  return {
    scenario,
    profile,
    outcome: status,
    reasons: [...reasons, { rule: 'breakpoint', effect: 'remark', text: breakpointText(breakpoint, unit) }],
    metrics: [{ ...rate, status }],
  }
}

/** One sentence: what broke at which rate, and what was used up first. */
export function breakpointText({ heldPerSecond, broke, saturated }: Breakpoint, unit: string): string {
  const what =
    broke === undefined
      ? `no target broke up to ${number(heldPerSecond)} ${unit}, the end of the ramp: RATE sets a higher one`
      : `all targets held up to ${number(heldPerSecond)} ${unit}, and broke at ${number(broke.ratePerSecond)}: ${list(broke.targets)}`
  const used = saturated.map(
    ({ name, use, ratePerSecond }) => `${name} (${percent(use)}, at ${number(ratePerSecond)} ${unit})`,
  )
  return `${what}. ${used.length === 0 ? 'Nothing that was sampled was used up' : `Used up first: ${list(used)}`}`
}
