/** Reaches the verdict on the run of a script, over all runners. Pure: the same result, the same verdict. */
import { list, number, percent, plural } from '@hopwhistle/platform/document/figures.ts'
import { histogramCount, mergeHistograms, percentileMs } from '../../scenarios/lib/histogram.ts'
import { LATENCY, type OwnMetric, type OwnRunner } from '../../scenarios/own/plan.ts'
import { mean } from '../evidence/evidence.ts'
import { machineCpuOf } from '../evidence/machine-cpu.ts'
import { LARGE_SHARE, runnersText, SATURATED, THROTTLED_CPU_ALLOWED, TWO_LOOKS_SECONDS } from '../judge/rules/cpu.ts'
import {
  changedTestRun,
  collectedTooLate,
  hungTestRun,
  MOST_SKEW_SECONDS,
  oomKilled,
  operatorError,
  runnerNeverRan,
} from '../judge/rules/test-run.ts'
import { metricText } from './figure-text.ts'
import { limitedBy } from './limited-by.ts'
import { asSampled } from './own-evidence.ts'
import type { Figure, OwnResult, OwnVerdict } from './own-result.ts'
import { keptAs, withThresholds } from './plan-run.ts'
import { meets, parseExpression, percentileIn, type Target } from './target.ts'
import { duringJudged, judgedSeconds } from './times.ts'

type Reason = OwnVerdict['reasons'][number]
type Found = Omit<Reason, 'rule'>

const invalid = (text: string): Found => ({ effect: 'invalid', text })
const remark = (text: string): Found => ({ effect: 'remark', text })

export function judgeOwn(result: OwnResult): OwnVerdict {
  const figures = targetsOf(result).map((target) => figureOf(target, result))
  const reasons = Object.entries(RULES).flatMap(([rule, check]) =>
    check(result, figures).map((found): Reason => ({ rule, ...found })),
  )
  const isInvalid = reasons.some(({ effect }) => effect === 'invalid')
  const isMissed = figures.some(({ status }) => status === 'missed')
  return {
    outcome: isInvalid ? 'invalid' : isMissed ? 'missed' : 'met',
    figures,
    reasons: [...reasons].sort((a, b) => Number(a.effect === 'remark') - Number(b.effect === 'remark')),
    limitedBy: limitedBy(result),
  }
}

/** Those of the file, and the thresholds of the script. */
function targetsOf({ targets, runners }: OwnResult): readonly Target[] {
  const thresholds = runners[0]?.thresholds ?? []
  return withThresholds(
    targets,
    thresholds.flatMap(({ metric, expression }) => parseExpression(metric, expression, 'script') ?? []),
  )
}

/** A target, and what all runners measured together. */
export function figureOf(target: Target, result: OwnResult): Figure {
  // A threshold of the script is about the whole run, as k6 has it.
  const isPart = target.from === 'targets' && result.judged !== undefined
  const name = keptAs(target.metric, isPart)
  const metrics = result.runners.flatMap(({ metrics }) => metrics[name] ?? [])
  const unit = unitOf(target, metrics[0])
  const found = measuredOf(
    target,
    metrics,
    isPart ? judgedSeconds(result) : wholeSeconds(result),
    isPart || result.judged === undefined ? result.runners : [],
  )
  if (typeof found === 'number')
    return { ...target, unit, measured: found, status: meets(found, target) ? 'met' : 'missed' }
  if (found === undefined) return { ...target, unit, status: 'unknown' }
  const verdicts = new Set(found.map((value) => meets(value, target)))
  const status = verdicts.size > 1 ? 'unknown' : verdicts.has(true) ? 'met' : 'missed'
  return { ...target, unit, between: found, status }
}

/** @returns one value, the lowest and the highest that it may be, or undefined without a sample */
function measuredOf(
  target: Target,
  metrics: readonly OwnMetric[],
  seconds: number,
  runners: readonly OwnRunner[],
): number | readonly [number, number] | undefined {
  const { aggregate } = target
  const [first] = metrics
  if (first === undefined) return undefined
  const values = (name: string) => metrics.flatMap(({ values }) => values[name] ?? [])
  const sum = (name: string) => values(name).reduce((total, value) => total + value, 0)
  if (first.type === 'counter') {
    const count = sum('count')
    return aggregate === 'count' ? count : seconds > 0 ? count / seconds : undefined
  }
  if (first.type === 'rate') {
    const all = sum('passes') + sum('fails')
    return all === 0 ? undefined : sum('passes') / all
  }
  if (first.type === 'gauge') return spanOf(values('value'))
  const counted = metrics.filter(({ values }) => (values.count ?? 0) > 0)
  const count = sum('count')
  if (count === 0) return undefined
  if (aggregate === 'count') return count
  if (aggregate === 'min') return Math.min(...counted.map(({ values }) => values.min ?? Number.POSITIVE_INFINITY))
  if (aggregate === 'max') return Math.max(...counted.map(({ values }) => values.max ?? 0))
  if (aggregate === 'avg') {
    return counted.reduce((total, { values }) => total + (values.avg ?? 0) * (values.count ?? 0), 0) / count
  }
  const percentile = percentileIn(target) ?? 50
  const merged = mergedOf(target.metric, runners)
  // As many as k6 has samples: then the buckets hold all of them.
  if (merged !== undefined && histogramCount(merged) === count) return percentileMs(merged, percentile)
  // Of all runners together it is no lower than the lowest of theirs, and no higher than the highest.
  return spanOf(counted.flatMap(({ values }) => values[aggregate] ?? []))
}

function mergedOf(metric: string, runners: readonly OwnRunner[]) {
  const histograms = runners.flatMap(({ histograms }) => histograms[metric] ?? [])
  return histograms.length === 0 ? undefined : mergeHistograms(histograms)
}

function spanOf(values: readonly number[]): number | readonly [number, number] | undefined {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return values.length === 0 ? undefined : low === high ? low : [low, high]
}

function unitOf({ aggregate }: Target, metric: OwnMetric | undefined): string {
  if (metric?.type === 'rate') return '%'
  if (metric?.type === 'counter') return aggregate === 'rate' ? '/s' : ''
  return metric?.contains === 'time' && aggregate !== 'count' ? 'ms' : ''
}

const wholeSeconds = ({ runners }: OwnResult): number =>
  Math.max(0, ...runners.map(({ startedAt, endedAt }) => (Date.parse(endedAt) - Date.parse(startedAt)) / 1000))

/** What is about the run in a cluster alone. */
const CLUSTER_RULES = [operatorError, hungTestRun, runnerNeverRan, oomKilled, changedTestRun]

const ofCluster = ({ distributed, expectedRunners }: OwnResult) => ({
  expectedRunners,
  ...(distributed === undefined ? {} : { distributed }),
})

/** Pods that ended and left none: those that were killed for want of memory have a rule of their own. */
const withoutResult = (runners: readonly OwnRunner[], distributed: OwnResult['distributed']) =>
  (distributed?.runners ?? []).filter(
    ({ instance, oomKilled }) => oomKilled !== true && !runners.some((runner) => runner.instance === instance),
  )

/** k6's exit codes of a test that came to its end; 99 when a threshold was missed. */
const ENDED_WELL: readonly number[] = [0, 99]
/** Failures are often quick: latencies of many of them are no answer to any target. */
const FAILED_ALLOWED = 0.05

const sumOf = ({ runners }: OwnResult, metric: string, value = 'count'): number =>
  runners.reduce((sum, { metrics }) => sum + (metrics[metric]?.values[value] ?? 0), 0)

/** What has to hold before figures count, and what else there is to say. */
const RULES: Readonly<Record<string, (result: OwnResult, figures: readonly Figure[]) => readonly Found[]>> = {
  'missing-runner': ({ runners, expectedRunners }) =>
    runners.length < expectedRunners
      ? [invalid(`${expectedRunners - runners.length} of ${plural(expectedRunners, 'runner')} left no result`)]
      : [],
  ...Object.fromEntries(
    CLUSTER_RULES.map(({ name, check }) => [
      name,
      (result: OwnResult) => check({ result: ofCluster(result) }) as Found[],
    ]),
  ),
  'collected-late': (result) =>
    result.distributed === undefined ? [] : (collectedTooLate(asSampled(result)) as readonly Found[]),
  'runner-error': ({ runners, distributed }) =>
    [...runners, ...withoutResult(runners, distributed)].flatMap(({ instance, exitCode = 0, lastWords }) =>
      ENDED_WELL.includes(exitCode)
        ? []
        : [
            invalid(
              `k6 ${runners.length > 1 || distributed !== undefined ? `of runner ${instance} ` : ''}ended with ${exitCode}${lastWords === undefined ? '' : `: ${lastWords}`}`,
            ),
          ],
    ),
  'no-targets': (_, figures) =>
    figures.length === 0
      ? [
          invalid(
            'there is nothing to judge by: the script has no thresholds, and no targets file was given (--targets)',
          ),
        ]
      : [],
  'unread-threshold': ({ runners }) =>
    (runners[0]?.thresholds ?? [])
      .filter(({ metric, expression }) => parseExpression(metric, expression, 'script') === undefined)
      .map(({ metric, expression }) =>
        invalid(
          `the script's threshold "${expression}" of ${metric} is not understood; write its target as p(95)<300 or rate<0.01`,
        ),
      ),
  'cut-short': (result) => {
    const { judged } = result
    const seconds = wholeSeconds(result)
    return judged !== undefined && seconds < judged.toSeconds - 1 && result.runners.length > 0
      ? [invalid(`the run ended after ${number(seconds)} s; the judged part ends at ${judged.toSeconds} s`)]
      : []
  },
  'no-samples': ({ runners }, figures) => {
    const unmeasured = figures.filter(({ status, between }) => status === 'unknown' && between === undefined)
    const known = Object.keys(runners[0]?.metrics ?? {}).filter((name) => !name.includes('{'))
    return [...new Set(unmeasured.map(({ metric }) => metric))].map((metric) =>
      invalid(
        `nothing was measured of ${metric}: ${metric.includes('{') ? 'no sample has these tags' : `the run has ${list(known)}`}`,
      ),
    )
  },
  'not-merged': ({ runners }, figures) => {
    if (runners.length < 2) return []
    return figures.flatMap((figure) => {
      if (figure.between === undefined) return []
      const [low, high] = figure.between
      const text = `${metricText(figure)} of all ${runners.length} runners lies between ${number(low, 1)} and ${number(high, 1)}: percentiles of runners cannot be merged, and not every sample was counted in buckets`
      return [
        figure.status === 'unknown'
          ? invalid(`${text}. Record it with mergeable-trend.ts, or use one runner`)
          : remark(text),
      ]
    })
  },
  'failed-requests': (result, figures) => {
    if (figures.some(({ metric }) => /^(http_req_failed|checks)\b/.test(metric))) return []
    // Of this rate, what passes is what failed.
    const [failed, all] = [sumOf(result, 'http_req_failed', 'passes'), sumOf(result, 'http_reqs')]
    if (failed === 0) return []
    const text = `${number(failed)} of ${plural(all, 'request')} failed, and no target is about that (http_req_failed: rate<0.01)`
    return [failed > FAILED_ALLOWED * all ? invalid(text) : remark(text)]
  },
  'dropped-iterations': (result) => {
    const dropped = sumOf(result, 'dropped_iterations')
    return dropped === 0
      ? []
      : [
          invalid(
            `generator: k6 dropped ${plural(dropped, 'iteration')}, so less was sent than the script asks for: all virtual users were waiting for answers, or maxVUs is too low`,
          ),
        ]
  },
  'generator-cpu': (result, figures) => {
    const { machine } = result
    const cpu = machine === undefined ? undefined : machineCpuOf(machine, duringJudged(result, machine))
    if (cpu === undefined || cpu.busy < SATURATED * cpu.cores || cpu.k6 < LARGE_SHARE * cpu.cores) return []
    const text = `this machine was ${percent(cpu.busy / cpu.cores)} busy and k6 used ${number(cpu.k6, 2)} of ${cpu.cores} cores`
    const misses = figures.filter(({ status }) => status === 'missed').map(metricText)
    return misses.length === 0
      ? [remark(`${text}: the latencies hold the generator's own waiting for CPU`)]
      : [invalid(`generator: ${text}, so that a miss (${list(misses)}) may be its own`)]
  },
  'throttled-cpu': (result, figures) => {
    const { machine, distributed } = result
    if (distributed === undefined || result.runners.length === 0) return []
    const judged = machine === undefined ? () => [] : duringJudged(result, machine)
    const whole = machine === undefined ? () => [] : duringJudged({ runners: result.runners }, machine)
    const isMissed = figures.some(({ status }) => status === 'missed')
    const partOf = (name: string | undefined) => {
      const pod = machine?.kubernetes?.pods.find(({ pod }) => pod === name)
      // Where no look fell into a short part, those of the whole run are taken.
      return mean(judged(pod?.throttled)) ?? mean(whole(pod?.throttled))
    }
    const throttled = distributed.runners.flatMap(({ instance, pod }) => {
      const part = partOf(pod) ?? 0
      if (part < THROTTLED_CPU_ALLOWED) return []
      return [invalid(`generator: the CPU of runner ${instance} was throttled in ${percent(part)} of the time`)]
    })
    const unknown = distributed.runners.filter(({ pod }) => partOf(pod) === undefined)
    // `collected-late` says all that there is to say.
    if (unknown.length === 0 || collectedTooLate(asSampled(result)).length > 0) return throttled
    const isShort = wholeSeconds(result) < TWO_LOOKS_SECONDS
    const why = isShort ? 'the run was too short for its kubelet to look twice' : 'no kubelet told of it'
    const text = `it is not known whether the CPU of ${runnersText(unknown.map(({ instance }) => instance))} was throttled: ${why}`
    if (isMissed) return [...throttled, invalid(`generator: ${text}, so that a miss may be its own`)]
    return [...throttled, isShort ? remark(text) : invalid(`generator: ${text}`)]
  },
  'node-cpu': (result, figures) => {
    const { machine, distributed } = result
    const { nodes = [], pods = [] } = machine?.kubernetes ?? {}
    const misses = figures.filter(({ status }) => status === 'missed').map(metricText)
    const during = machine === undefined ? () => [] : duringJudged(result, machine)
    const busyNodes = nodes.flatMap(({ name, cores, cpuCores }) => {
      const busy = (mean(during(cpuCores)) ?? 0) / cores
      if (cores === 0 || busy < SATURATED || !pods.some(({ node }) => node === name)) return []
      const text = `node ${name} was ${percent(busy)} busy`
      return misses.length === 0
        ? [remark(`${text}: the latencies hold the generator's own waiting for CPU`)]
        : [invalid(`generator: ${text}, so that a miss (${list(misses)}) may be its own`)]
    })
    if (misses.length === 0 || result.runners.length === 0) return busyNodes
    const isKnown = (node: string) =>
      nodes.some(({ name, cores, cpuCores }) => name === node && cores > 0 && during(cpuCores).length > 0)
    const unknown = [...new Set((distributed?.runners ?? []).map(({ node = 'of a runner' }) => node))]
      .filter((node) => !isKnown(node))
      .map((node) =>
        invalid(
          `generator: it is not known whether node ${node} had CPU left, so that a miss (${list(misses)}) may be its own`,
        ),
      )
    return [...busyNodes, ...unknown]
  },
  'late-start': ({ runners }) => {
    const starts = runners.map(({ startedAt }) => Date.parse(startedAt))
    const seconds = starts.length < 2 ? 0 : (Math.max(...starts) - Math.min(...starts)) / 1000
    if (seconds <= MOST_SKEW_SECONDS) return []
    return [
      remark(
        `the last runner began ${number(seconds, 1)} s after the first: runners of a script do not wait for each other`,
      ),
    ]
  },
  'failed-checks': ({ runners }) => {
    const failed = new Map<string, { fails: number; all: number }>()
    for (const { name, passes, fails } of runners.flatMap(({ checks }) => checks)) {
      const before = failed.get(name) ?? { fails: 0, all: 0 }
      failed.set(name, { fails: before.fails + fails, all: before.all + passes + fails })
    }
    return [...failed].flatMap(([name, { fails, all }]) =>
      fails === 0 ? [] : [remark(`the check "${name}" failed ${number(fails)} of ${plural(all, 'time')}`)],
    )
  },
  'script-errors': ({ runners }) =>
    runners.flatMap(({ errors = 0, lastWords }) =>
      errors === 0
        ? []
        : [remark(`k6 logged ${plural(errors, 'error')}${lastWords === undefined ? '' : `, the last: ${lastWords}`}`)],
    ),
  buckets: ({ runners, judged }) => {
    const metric = keptAs(LATENCY, judged !== undefined)
    const merged = mergedOf(LATENCY, runners)
    const counted = merged === undefined ? 0 : histogramCount(merged)
    const all = runners.reduce((sum, { metrics }) => sum + (metrics[metric]?.values.count ?? 0), 0)
    return counted === all
      ? []
      : [
          remark(
            `${number(counted)} of ${plural(all, 'request')} were counted in buckets: redirects that k6 followed and requests that threw are not seen. ` +
              `Percentiles are k6's own${runners.length > 1 ? ' of each runner' : ''}`,
          ),
        ]
  },
  servers: ({ servers }) =>
    servers.flatMap(({ name, problem }) => (problem === undefined ? [] : [remark(`${name}: ${problem}`)])),
}
