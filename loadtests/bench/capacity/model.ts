/**
 * What a capacity measurement says of loads and numbers of instances that it did not measure. Two parts:
 *
 * - **Costs.** CPU of the API, the primary, the replica and Redis is a sum: so much for each event, report, frame to a
 *   subscriber, and event in a frame, and a rest that is there without load. Least squares over all steps that
 *   held (the utilization law: what a resource is used is the sum over the kinds of work of rate times demand).
 * - **The law.** What N instances carry, by the universal scalability law, from the capacities of all workloads, each
 *   turned into work by its costs: cores of the API, without its rest. So any mix can be asked about.
 *
 * Its uncertainty: the same from steps drawn again with replacement, and from capacities drawn between what held and
 * what did not.
 */
import { rateOf, type ScenarioName, targetsOf, trafficIn } from '@hopwhistle/contract/scenarios.ts'
import { type Random, seededRandom } from '@hopwhistle/contract/traffic/report-queries.ts'
import type { CapacityResult, CapacityStep, PartName, Point } from './capacity-result.ts'
import { leastSquares } from './least-squares.ts'
import { triedOf } from './measure-capacity.ts'
import { capacityOf } from './next-rate-up.ts'
import { type FittedLaw, fitLaw, speedup } from './scalability-law.ts'

/** What a platform is asked to do: events and reports a second, and subscribers to whom every event is delivered. */
export type Load = { readonly events: number; readonly reports: number; readonly subscribers: number }

/** CPU seconds of each unit; `rest` in cores, of the API for each instance. */
export type Costs = {
  readonly rest: number
  readonly event: number
  readonly report: number
  /** A subscriber gets one for each event, and at most one for each tick: what they share costs once. */
  readonly frame: number
  readonly delivery: number
}

/** Frames a second that one subscriber gets at most. */
type Ticks = { readonly ticksPerSecond: number }

export const PARTS = ['api', 'primary', 'replica', 'redis'] as const satisfies readonly PartName[]

export type Model = Ticks & {
  readonly coresEach: number
  readonly costs: Readonly<Record<PartName, Costs>>
  /** Connections in use, instead of CPU. */
  readonly connections: Costs
  /** λ is in cores of work. */
  readonly law: FittedLaw
}

/**
 * From the points with the role `fit`.
 *
 * @param random draws the measurement again; absent: as it was measured
 * @returns undefined when no workload has a capacity
 */
export function modelOf(result: CapacityResult, random?: Random): Model | undefined {
  const points = result.points.filter(({ role }) => role === 'fit')
  const steps = drawn(points.flatMap(stepsForCosts), random)
  if (steps.length === 0) return undefined
  const ticksPerSecond = 1000 / Number(result.environment.stack.apiSettings?.LIVE_TICK_MS ?? LIVE_TICK_MS)
  const fit = (value: (step: Measured) => number, instances: boolean) =>
    costsOf(steps, value, { perInstance: instances, ticksPerSecond })
  const api = fit(({ use }) => use.cpu.api, true)
  const observed = points.flatMap((point) => {
    const { held, failed } = capacityOf(triedOf(point, result))
    if (held === 0 || isFull(point, held)) return []
    const rate = random === undefined || failed === undefined ? held : held + random() * (failed - held)
    const capacity = workOf({ ticksPerSecond, costs: { api } }, loadOf(point.scenario, rate, point.subscribers))
    return capacity > 0 ? [{ workload: point.scenario, instances: point.instances, capacity }] : []
  })
  if (observed.length === 0) return undefined
  return {
    coresEach: result.coresEach,
    ticksPerSecond,
    costs: {
      api,
      primary: fit(({ use }) => use.cpu.primary, false),
      replica: fit(({ use }) => use.cpu.replica, false),
      redis: fit(({ use }) => use.cpu.redis, false),
    },
    connections: fit(({ use }) => use.connections, false),
    law: fitLaw(observed),
  }
}

type Measured = { readonly instances: number; readonly use: NonNullable<CapacityStep['use']> }

const stepsForCosts = ({ steps, instances }: Point): readonly Measured[] =>
  steps.flatMap(({ outcome, use }) => (outcome === 'met' && use !== undefined ? [{ instances, use }] : []))

/** Whether the machine was full at the capacity that was found, or at the next larger rate: then it was not theirs. */
export const isFull = ({ steps }: Pick<Point, 'steps'>, held: number): boolean => {
  const beyond = steps.filter(({ ratePerSecond, outcome }) => ratePerSecond > held && outcome !== 'met')
  const next = beyond.toSorted((a, b) => a.ratePerSecond - b.ratePerSecond)[0]
  return next?.use?.machineIsFull === true
}

const drawn = <T>(values: readonly T[], random?: Random): readonly T[] =>
  random === undefined ? values : values.map(() => values[Math.floor(random() * values.length)]!)

/** The default of the API, where a measurement does not say. */
const LIVE_TICK_MS = 10

/** Smaller values than this are the blur of sampling, and not to be met to the percent. */
const LEAST = 0.01

function costsOf(
  steps: readonly Measured[],
  value: (step: Measured) => number,
  { perInstance, ticksPerSecond }: Ticks & { readonly perInstance: boolean },
): Costs {
  const rows = steps.map(({ instances, use }) => [
    perInstance ? instances : 1,
    use.events,
    use.reports,
    framesOf(use, ticksPerSecond),
    use.events * use.subscribers,
  ])
  const [rest = 0, event = 0, report = 0, frame = 0, delivery = 0] = leastSquares(
    rows,
    steps.map((step) => Math.max(LEAST, value(step))),
  )
  return { rest, event, report, frame, delivery }
}

const framesOf = ({ events, subscribers }: Load, ticksPerSecond: number): number =>
  subscribers * Math.min(events, ticksPerSecond)

/** CPU, or connections, that a part needs for a load. @param instances of the API, for each of which it has a rest */
export function costOf({ ticksPerSecond }: Ticks, costs: Costs, load: Load, instances = 1): number {
  const { events, reports, subscribers } = load
  const { rest, event, report, frame, delivery } = costs
  const work = events * event + reports * report + framesOf(load, ticksPerSecond) * frame
  return instances * rest + work + events * subscribers * delivery
}

/** In cores of the API, without its rest. */
export const workOf = (model: Ticks & { readonly costs: Pick<Model['costs'], 'api'> }, load: Load): number =>
  costOf(model, model.costs.api, load, 0)

/** How many times as many events and reports of a load come to this work; the subscribers stay. */
export function timesFor(model: Model, load: Load, work: number): number {
  let [low, high] = [0, 1]
  while (workOf(model, times(load, high)) < work && high < 1e9) high *= 2
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2
    if (workOf(model, times(load, middle)) < work) low = middle
    else high = middle
  }
  return low
}

export const times = (load: Load, factor: number): Load => ({
  ...load,
  events: factor * load.events,
  reports: factor * load.reports,
})

/** The load that a workload is at a rate of its first kind of traffic. */
export function loadOf(scenario: ScenarioName, ratePerSecond: number, subscribers?: number): Load {
  const { updates, messages, reports } = targetsOf(scenario)
  const kind = trafficIn(scenario)[0]
  return {
    events: updates !== undefined || messages !== undefined ? ratePerSecond : 0,
    reports:
      kind === 'reports' ? ratePerSecond : reports === undefined ? 0 : rateOf(scenario, 'reports', ratePerSecond),
    subscribers: subscribers ?? messages?.subscribers ?? 0,
  }
}

/**
 * The work that so many instances carry of a kind of load, in cores of the API without its rest: the least of what was
 * found for the workloads that are like it. Reports and live messages together are like the mix, if it was measured.
 */
export function workCarried(model: Model, load: Load, instances: number): number {
  const { lambda } = model.law
  return Math.min(...workloadsLike(model, load).map((name) => lambda.get(name)!)) * speedup(model.law, instances)
}

function workloadsLike({ law: { lambda } }: Model, { events, reports, subscribers }: Load): readonly ScenarioName[] {
  const has = (name: ScenarioName) => lambda.has(name)
  const live = subscribers > 0 && events > 0
  if (live && reports > 0 && has('mixed-load')) return ['mixed-load']
  const like: readonly ScenarioName[] = [
    ...(live ? (['redis-pubsub'] as const) : events > 0 ? (['call-state-updates'] as const) : []),
    ...(reports > 0 ? (['reporting-endpoints'] as const) : []),
  ]
  const known = like.filter(has)
  return known.length > 0 ? known : ([...lambda.keys()] as ScenarioName[])
}

/** The highest rate of a workload that so many instances carry. */
export function predictedRate(
  model: Model,
  { scenario, instances, subscribers }: Pick<Point, 'scenario' | 'instances' | 'subscribers'>,
): number {
  const load = loadOf(scenario, 1, subscribers)
  return timesFor(model, load, workCarried(model, load, instances))
}

export const DRAWS = 400

const drawnBefore = new WeakMap<CapacityResult, readonly Model[]>()

/** The same measurement drawn again, always with the same draws. */
export function drawnModels(result: CapacityResult): readonly Model[] {
  const known = drawnBefore.get(result)
  if (known !== undefined) return known
  const random = seededRandom(1)
  const models = Array.from({ length: DRAWS }, () => modelOf(result, random)).filter((model) => model !== undefined)
  drawnBefore.set(result, models)
  return models
}

/** 19 of 20 draws lie between the two. */
export function interval(values: readonly number[]): readonly [number, number] {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
  return [at(0.025), at(0.975)]
}
