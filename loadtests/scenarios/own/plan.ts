/** What `bench run SCRIPT` and a script of somebody else have to tell each other: before the run, and after it. */
import type { HistogramData, Name, Time } from '../../results-format.ts'

/** Handed to the script's k6 before the run. */
export type OwnPlan = {
  readonly runId: string
  readonly instance: string
  /** Where the result goes: a file, or `log` for standard output. */
  readonly resultFile: string
  /** The part of the run that is judged, in seconds after `setup`. Absent: all of it. */
  readonly judged?: JudgedPart
  /** Expressions by metric, without the tag of the judged part. */
  readonly targets: Readonly<Record<string, readonly string[]>>
  /** Beside those of the script: k6 keeps figures of tagged metrics only where a threshold names them. */
  readonly thresholds: Readonly<Record<string, readonly string[]>>
  readonly percentiles: readonly number[]
}

/**
 * @asType integer
 */
type Seconds = number

export type JudgedPart = {
  /** @minimum 0 */
  readonly fromSeconds: Seconds
  /** @exclusiveMinimum 0 */
  readonly toSeconds: Seconds
}

/** What one k6 process measured, in k6's own words. */
export type OwnRunner = {
  readonly instance: Name
  /** k6's execution segment, as `0:1/2`; absent when the process carried the whole load. */
  readonly segment?: string
  /** From the end of `setup`. */
  readonly startedAt: Time
  readonly endedAt: Time
  /** By name, with tags as in `http_reqs{name:login}`. Those of the judged part have the tag `judged:yes`. */
  readonly metrics: Readonly<Record<string, OwnMetric>>
  /** Of the judged part, by the selector of the metric. */
  readonly histograms: Readonly<Record<string, HistogramData>>
  /** Of the script itself, as k6 saw them. */
  readonly thresholds: readonly { readonly metric: string; readonly expression: string; readonly ok: boolean }[]
  readonly checks: readonly { readonly name: string; readonly passes: number; readonly fails: number }[]
  /** @asType integer */
  readonly exitCode?: number
  /** What k6 complained about last. */
  readonly lastWords?: string
  /** How many errors k6 logged, exceptions of the script among them. */
  readonly errors?: number
}

export type OwnMetric = {
  readonly type: 'counter' | 'gauge' | 'rate' | 'trend'
  /** `time` is in ms. */
  readonly contains?: string
  readonly values: Readonly<Record<string, number>>
}

export const JUDGED_TAG = 'judged'

/** `http_reqs{name:login}` and `judged:yes` make `http_reqs{name:login,judged:yes}`. */
export const withTag = (selector: string, tag: string): string =>
  selector.endsWith('}') ? `${selector.slice(0, -1)},${tag}}` : `${selector}{${tag}}`

/** The latency of every HTTP request. */
export const LATENCY = 'http_req_duration'
/** Those with tags need 700 more counts in k6 each. */
const MOST_LATENCIES = 12

/** Which latencies are counted in buckets: of all requests, and of those with the tags that a percentile is asked of. */
export function latenciesOf(
  asked: readonly { readonly metric: string; readonly expression: string }[],
): readonly string[] {
  const tagged = asked.filter(
    ({ metric, expression }) => metric.startsWith(`${LATENCY}{`) && /^\s*(p\(|med)/.test(expression),
  )
  return [...new Set([LATENCY, ...tagged.map(({ metric }) => metric.replace(/\s+/g, ''))])].slice(0, MOST_LATENCIES)
}

/** `http_reqs{name:login,method:GET}`: its tags. */
export function tagsIn(metric: string): Readonly<Record<string, string>> {
  const [, tags = ''] = /\{(.*)\}$/.exec(metric) ?? []
  return Object.fromEntries(
    tags
      .split(',')
      .filter(Boolean)
      .map((tag) => {
        const colon = tag.indexOf(':')
        return [tag.slice(0, colon).trim(), tag.slice(colon + 1).trim()]
      }),
  )
}

/** The name under which the latencies of a plan are counted in buckets. */
export const latencyName = (place: number): string => `latency${place}`
