/**
 * What a script of somebody else gets when `bench` runs it. Runs inside k6; the script stays as it is.
 *
 * Before the script is loaded, k6's http functions are replaced by ones that call them and count how long each answer
 * took, in buckets that add up over runners. Every scenario runs through `iteration`, which tags what belongs to the
 * judged part of the run. At the end k6's figures are written as a result.
 *
 * Not seen: requests that throw, redirects that k6 follows itself, and protocols other than HTTP. Whoever reads the
 * buckets compares their count with k6's own.
 */
import exec from 'k6/execution'
import http, { type RefinedParams, type RefinedResponse, type ResponseType } from 'k6/http'
import { bucketThresholds, isBucketMetric, splitCounters } from '../lib/bucket-names.ts'
import { toLogLines } from '../lib/result-lines.ts'
import { mergeableTrends, recorderByPart } from './mergeable-trend.ts'
import { JUDGED_TAG, latenciesOf, latencyName, type OwnMetric, type OwnPlan, type OwnRunner, tagsIn } from './plan.ts'

type Params = RefinedParams<ResponseType> | null | undefined
type Response = RefinedResponse<ResponseType>
type Seen = (method: string, url: unknown, params: Params, response: Response) => void
type HttpFunction = (...args: unknown[]) => unknown

let seen: Seen = () => {}

/** Replaces k6's http functions; the script has the same object. */
function watchHttp(): void {
  const functions = http as unknown as Record<string, HttpFunction>
  const replace = (name: string, watched: (call: HttpFunction) => HttpFunction) => {
    const call = functions[name]
    if (call !== undefined) functions[name] = watched(call)
  }
  for (const [name, paramsAt] of Object.entries(PARAMS_AT)) {
    replace(name, (call) => (...args) => {
      const response = call(...args) as Response
      seen(name === 'del' ? 'DELETE' : name.toUpperCase(), args[0], args[paramsAt] as Params, response)
      return response
    })
  }
  replace('request', (call) => (...args) => {
    const response = call(...args) as Response
    seen(String(args[0]), args[1], args[3] as Params, response)
    return response
  })
  replace('asyncRequest', (call) => (...args) => {
    const answered = call(...args) as Promise<Response>
    return answered.then((response) => {
      seen(String(args[0]), args[1], args[3] as Params, response)
      return response
    })
  })
  replace('batch', (call) => (...args) => {
    const responses = call(...args) as Record<string, Response>
    for (const [key, request] of Object.entries(args[0] as Record<string, BatchRequest>)) {
      const response = responses[key]
      if (response !== undefined) seen(...partsOf(request), response)
    }
    return responses
  })
}

/** Where the parameters stand among the arguments. */
const PARAMS_AT = { get: 1, head: 1, post: 2, put: 2, patch: 2, del: 2, options: 2 } as const

type BatchRequest =
  | string
  | readonly [method: string, url: unknown, body?: unknown, params?: Params]
  | { readonly method?: string; readonly url: unknown; readonly params?: Params }

function partsOf(request: BatchRequest): [string, unknown, Params] {
  if (typeof request === 'string') return ['GET', request, undefined]
  if (Array.isArray(request)) return [request[0] ?? 'GET', request[1], request[3] as Params]
  const { method = 'GET', url, params } = request as { method?: string; url: unknown; params?: Params }
  return [method, url, params]
}

watchHttp()

/** What a k6 script may export. */
export type OwnScript = Readonly<Record<string, unknown>>
type Entry = (data?: unknown) => unknown
type Started = { readonly startedAt: number; readonly theirs?: unknown }
type ScriptOptions = {
  readonly scenarios?: Readonly<Record<string, { readonly exec?: string }>>
  readonly thresholds?: Readonly<Record<string, readonly (string | { readonly threshold: string })[]>>
  readonly summaryTrendStats?: readonly string[]
}

/** What the script that k6 runs exports instead of the script's own. */
export function instrument(plan: OwnPlan, script: OwnScript) {
  const own = (script.options ?? {}) as ScriptOptions
  const selectors = selectorsOf(plan, own)
  const latencies = selectors.map((metric, i) => ({ tags: tagsIn(metric), record: recorderByPart(latencyName(i)) }))
  const needsTags = latencies.some(({ tags }) => Object.keys(tags).length > 0)
  seen = (method, url, params, response) => {
    const given = needsTags ? tagsOf(method, url, params, response) : {}
    for (const { tags, record } of latencies) {
      if (Object.entries(tags).every(([name, value]) => given[name] === value)) record(response.timings.duration)
    }
  }
  const entries = new Map(
    Object.entries(own.scenarios ?? {}).map(([name, { exec: entry = 'default' }]) => [name, entry]),
  )
  const functionOf = (name: string) => script[name] as Entry | undefined

  return {
    options: optionsOf(plan, own, selectors.length),

    setup(): Started | Promise<Started> {
      tagPart(plan, false)
      const started = (theirs: unknown): Started => ({ theirs, startedAt: Date.now() })
      const theirs = functionOf('setup')?.()
      return isPromise(theirs) ? theirs.then(started) : started(theirs)
    },

    /** @param data absent with `--no-setup` */
    iteration(data?: Started): unknown {
      if (plan.judged !== undefined) {
        const seconds = (Date.now() - (data?.startedAt ?? exec.scenario.startTime)) / 1000
        tagPart(plan, seconds >= plan.judged.fromSeconds && seconds < plan.judged.toSeconds)
      }
      const name = entries.get(exec.scenario.name) ?? 'default'
      const entry = functionOf(name)
      if (entry === undefined) exec.test.abort(`the script exports no function "${name}"`)
      return entry?.(data?.theirs)
    },

    teardown(data?: Started): unknown {
      tagPart(plan, false)
      return functionOf('teardown')?.(data?.theirs)
    },

    handleSummary(data: SummaryData): unknown {
      const result = JSON.stringify(runnerOf(plan, own, selectors, data))
      const written = (theirs: unknown): Record<string, unknown> => {
        const files = (theirs ?? {}) as Record<string, unknown>
        if (plan.resultFile !== 'log') return { ...files, [plan.resultFile]: result }
        return { ...files, stdout: [files.stdout ?? '', ...toLogLines(result), ''].join('\n') }
      }
      const theirs = functionOf('handleSummary')?.(withoutOurs(data))
      return isPromise(theirs) ? theirs.then(written) : written(theirs)
    },
  }
}

/** Whether what this virtual user measures from now on belongs to the judged part. */
function tagPart({ judged }: OwnPlan, inside: boolean): void {
  if (judged !== undefined) exec.vu.metrics.tags[JUDGED_TAG] = inside ? 'yes' : 'no'
}

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof (value as Promise<unknown> | undefined)?.then === 'function'

/** The tags that k6 gives the samples of a request, as far as a script can know them. */
function tagsOf(method: string, url: unknown, params: Params, { status }: Response): Record<string, string> {
  const { name = url, url: address = url } = (typeof url === 'object' && url !== null ? url : {}) as Record<
    string,
    unknown
  >
  return {
    ...(exec.vu.metrics.tags as Record<string, string>),
    method: method.toUpperCase(),
    url: String(address),
    name: String(name),
    status: String(status),
    expected_response: String(status >= 200 && status < 400),
    ...(params?.tags as Record<string, string> | undefined),
  }
}

function optionsOf(plan: OwnPlan, own: ScriptOptions, latencies: number) {
  // k6 reads the options of its first VU only.
  if (__VU !== 0) return { ...own, scenarios: scenariosOf(own) }
  const counted = [...Array.from({ length: latencies }, (_, i) => latencyName(i)), ...mergeableTrends]
  const parts = plan.judged === undefined ? ['peak'] : ['peak', 'ramp']
  const thresholds: Record<string, unknown> = {
    ...own.thresholds,
    ...bucketThresholds(counted.flatMap((name) => parts.map((part) => `${name}_${part}`))),
  }
  for (const [selector, expressions] of Object.entries(plan.thresholds)) {
    thresholds[selector] = [...((thresholds[selector] as unknown[] | undefined) ?? []), ...expressions]
  }
  const asked = thresholdsIn(own).flatMap(({ expression }) => /p\(\s*([\d.]+)\s*\)/.exec(expression)?.[1] ?? [])
  const percentiles = [...plan.percentiles, ...asked].map((percent) => `p(${percent})`)
  const stats = ['count', 'min', 'max', 'avg', 'med', ...percentiles]
  return {
    ...own,
    ...(own.scenarios === undefined ? {} : { scenarios: scenariosOf(own) }),
    thresholds,
    summaryTrendStats: [...new Set([...(own.summaryTrendStats ?? DEFAULT_STATS), ...stats])],
  }
}

const DEFAULT_STATS = ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)']

/** All run through the default function. */
const scenariosOf = ({ scenarios }: ScriptOptions) =>
  scenarios && Object.fromEntries(Object.entries(scenarios).map(([name, { exec: _, ...others }]) => [name, others]))

type Asked = { readonly metric: string; readonly expression: string }

const thresholdsIn = ({ thresholds = {} }: ScriptOptions): readonly Asked[] =>
  Object.entries(thresholds).flatMap(([metric, list]) =>
    list.map((one) => ({ metric, expression: typeof one === 'string' ? one : one.threshold })),
  )

const selectorsOf = (plan: OwnPlan, own: ScriptOptions): readonly string[] =>
  latenciesOf([
    ...Object.entries(plan.targets).flatMap(([metric, all]) => all.map((expression) => ({ metric, expression }))),
    ...thresholdsIn(own),
  ])

type SummaryMetric = OwnMetric & { readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>> }
type Group = {
  readonly groups?: readonly Group[]
  readonly checks?: readonly { readonly name: string; readonly passes: number; readonly fails: number }[]
}
type SummaryData = {
  readonly metrics: Readonly<Record<string, SummaryMetric>>
  readonly root_group?: Group
  readonly setup_data?: Started
  readonly state: { readonly testRunDurationMs: number }
}

function withoutOurs(data: SummaryData): unknown {
  const metrics = Object.entries(data.metrics).filter(([name]) => !isBucketMetric(name))
  return { ...data, setup_data: data.setup_data?.theirs, metrics: Object.fromEntries(metrics) }
}

function runnerOf(plan: OwnPlan, own: ScriptOptions, selectors: readonly string[], data: SummaryData): OwnRunner {
  const { metrics, setup_data: setup } = data
  const endedAt = Date.now()
  const segment: string | undefined = exec.test.options.executionSegment || undefined
  const counts = Object.entries(metrics).map(([name, { values }]) => [name, values.count ?? 0] as const)
  const { histograms } = splitCounters(Object.fromEntries(counts))
  const names: readonly (readonly [string, string])[] = [
    ...selectors.map((selector, i) => [selector, latencyName(i)] as const),
    ...mergeableTrends.map((name) => [name, name] as const),
  ]
  return {
    instance: plan.instance,
    ...(segment === undefined ? {} : { segment }),
    startedAt: new Date(setup?.startedAt ?? endedAt - data.state.testRunDurationMs).toISOString(),
    endedAt: new Date(endedAt).toISOString(),
    metrics: Object.fromEntries(
      Object.entries(metrics)
        .filter(([name]) => !isBucketMetric(name))
        .map(([name, { type, contains, values }]) => [name, { type, ...(contains ? { contains } : {}), values }]),
    ),
    histograms: Object.fromEntries(
      names.flatMap(([selector, name]) => {
        const counted = histograms[`${name}_peak`]
        return counted === undefined ? [] : [[selector, counted] as const]
      }),
    ),
    thresholds: thresholdsIn(own).map((one) => ({
      ...one,
      ok: metrics[one.metric]?.thresholds?.[one.expression]?.ok ?? false,
    })),
    checks: checksIn(data.root_group),
  }
}

const checksIn = (group: Group | undefined): { name: string; passes: number; fails: number }[] => [
  ...(group?.checks ?? []).map(({ name, passes, fails }) => ({ name, passes, fails })),
  ...(group?.groups ?? []).flatMap(checksIn),
]
