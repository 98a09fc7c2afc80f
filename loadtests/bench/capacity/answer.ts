/** How many pods, which pool, what Postgres and Redis a load needs, with room for one pod lost; and where pods stop helping. */
import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { list, number, percent, plural } from '@hopwhistle/platform/document/figures.ts'
import { primaryConnections } from '../findings/connection-budget.ts'
import { SATURATED_CPU } from '../findings/saturation.ts'
import type { CapacityResult, PartName } from './capacity-result.ts'
import {
  costOf,
  drawnModels,
  interval,
  type Load,
  type Model,
  modelOf,
  PARTS,
  times,
  timesFor,
  workCarried,
  workOf,
} from './model.ts'
import { peakOfLaw } from './scalability-law.ts'

export type Sizes = {
  /** CPU of a pod. */
  readonly podCores: number
  /** CPU that the primary may use, and so the replica. */
  readonly postgresCores: number
}

export type Answer = Sizes & {
  readonly load: Load
  /** So many carry the load even when one of them is lost: in 39 of 40 draws of the measurement, if those have an answer. */
  readonly pods: number
  readonly needed: { readonly pods: number; readonly interval: readonly [number, number] }
  readonly pool: number
  readonly maxConnections: number
  /** In cores, and the range of 19 of 20 draws. */
  readonly cpu: Readonly<Record<PartName, { readonly cores: number; readonly interval: readonly [number, number] }>>
  readonly stops: Stop
  /** As measured: it decides how many frames subscribers get. */
  readonly liveTickMs: number
  /** What of it lies outside of what was measured, a sentence each. */
  readonly extrapolated: readonly string[]
}

/** More pods than this carry no more of the same mix of work. */
export type Stop = { readonly pods: number; readonly why: string }

/** More are not looked at: the chart allows 200. */
export const MOST_PODS = 200
/** A pod more while a new version rolls out, migrations, exporters, the superuser: as the chart counts them. */
const SURGE = 1
const OTHER_CONNECTIONS = 8
/** Least that the API takes, and least that the chart gives Postgres. */
const LEAST_POOL = 8
const LEAST_CONNECTIONS = 100
/** Shares of an instance's pool: `poolSizes` in api/src/postgres/open-postgres.ts. */
const INGEST_SHARE = 0.3
const REPORT_SHARE = 0.6

/** @returns why there is none, when no number of pods carries this load */
export function answerFor(result: CapacityResult, load: Load, sizes: Sizes): Answer | string {
  const model = modelOf(result)
  if (model === undefined) return 'no step of this measurement held: there is nothing to compute from'
  const needed = podsFor(model, load, sizes)
  const draws = drawnModels(result)
  const inDraws = draws.map((one) => podsFor(one, load, sizes))
  const range = interval(inDraws)
  if (needed > MOST_PODS) {
    const { pods, why } = stopOf(model, load, sizes)
    return `no number of pods up to ${MOST_PODS} carries it: ${why} from ${plural(pods, 'pod')} on`
  }
  // Far from what was measured the draws may differ so much that some of them have no answer.
  const hopeless = inDraws.filter((count) => count > MOST_PODS).length / inDraws.length
  const safe = range[1] > MOST_PODS ? needed : Math.max(needed, range[1])
  const pods = safe + 1
  const pool = poolFor(model, load, safe)
  const cpuOf = (one: Model, part: PartName) => costOf(one, one.costs[part], load, part === 'api' ? pods : 1)
  return {
    ...sizes,
    load,
    pods,
    needed: { pods: needed, interval: range },
    pool,
    maxConnections: Math.max(
      LEAST_CONNECTIONS,
      10 * Math.ceil(((pods + SURGE) * primaryConnections(pool) + OTHER_CONNECTIONS) / 10),
    ),
    cpu: Object.fromEntries(
      PARTS.map((part) => [
        part,
        { cores: cpuOf(model, part), interval: interval(draws.map((one) => cpuOf(one, part))) },
      ]),
    ) as Answer['cpu'],
    stops: stopOf(model, load, sizes),
    liveTickMs: Math.round(1000 / model.ticksPerSecond),
    extrapolated: [
      ...extrapolated(result, load, sizes, safe),
      ...(hopeless === 0
        ? []
        : [`in ${percent(hopeless)} of the draws no number of pods carries it: measure more instances to know`]),
    ],
  }
}

/** The fewest that carry it; more than `MOST_PODS` when none do. */
function podsFor(model: Model, load: Load, { podCores }: Sizes): number {
  const work = workOf(model, load)
  const larger = podCores / model.coresEach
  const sockets = Math.ceil(load.subscribers / LIMITS.websockets.value)
  for (let pods = Math.max(1, sockets); pods <= MOST_PODS; pods++) {
    if (larger * workCarried(model, load, pods) >= work) return pods
  }
  return MOST_PODS + 1
}

/**
 * By Little's law so many connections are in use on average as statements come a second, times what each holds one;
 * three standard deviations more are hardly ever exceeded where they come independently.
 */
function poolFor({ connections }: Model, { events, reports }: Load, pods: number): number {
  const most = (mean: number) => Math.ceil(mean + 3 * Math.sqrt(mean))
  const ingest = most((connections.rest + events * connections.event) / pods)
  const forReports = most((reports * connections.report) / pods)
  return Math.max(LEAST_POOL, Math.ceil(ingest / INGEST_SHARE), Math.ceil(forReports / REPORT_SHARE))
}

/** Where more pods carry no more of this mix: the law's own peak, or the part behind them that is full first. */
export function stopOf(model: Model, load: Load, { podCores, postgresCores }: Sizes): Stop {
  const peak = peakOfLaw(model.law)
  const limits = { primary: postgresCores, replica: postgresCores, redis: 1 }
  for (let pods = 1; pods <= MOST_PODS; pods++) {
    const carried = (podCores / model.coresEach) * workCarried(model, load, pods)
    const most = times(load, timesFor(model, load, carried))
    const full = (['primary', 'replica', 'redis'] as const).find(
      (part) => costOf(model, model.costs[part], most) >= SATURATED_CPU * limits[part],
    )
    const at = `at ${rates(most)}`
    if (full !== undefined) {
      return {
        pods,
        why: `the CPU of ${PART_NAMES[full]} is ${percent(SATURATED_CPU)} of ${plural(limits[full], 'core')} ${at}`,
      }
    }
    if (pods + 1 > peak) return { pods, why: `by the law one more carries nothing more, ${at}` }
  }
  return { pods: MOST_PODS, why: 'nothing that was measured is full' }
}

export const PART_NAMES: Readonly<Record<PartName, string>> = {
  api: 'the API',
  primary: 'the primary',
  replica: 'the replica',
  redis: 'Redis',
}

/** `2,000 events and 50 reports a second`. */
export const rates = ({ events, reports }: Pick<Load, 'events' | 'reports'>): string =>
  `${list([
    ...(events > 0 ? [plural(Math.round(events), 'event')] : []),
    ...(reports > 0 ? [plural(Math.round(reports), 'report')] : []),
  ])} a second`

/** `2,000 events and 50 reports a second, 500 subscribers`. */
export const loadText = (load: Load): string =>
  `${rates(load)}${load.subscribers === 0 ? '' : `, ${plural(load.subscribers, 'subscriber')}`}`

/** Pods of this CPU are a guess from instances of another. */
function extrapolated(
  { points, coresEach }: CapacityResult,
  load: Load,
  sizes: Sizes,
  pods: number,
): readonly string[] {
  const uses = points.flatMap(({ role, steps }) => (role === 'fit' ? steps.flatMap(({ use }) => use ?? []) : []))
  const most = (of: keyof Load) => Math.max(0, ...uses.map((use) => use[of]))
  const instances = Math.max(0, ...points.filter(({ role }) => role === 'fit').map((point) => point.instances))
  const kinds = (['events', 'reports', 'subscribers'] as const).filter((kind) => load[kind] > most(kind))
  return [
    ...(pods > instances
      ? [`${plural(pods, 'pod')} carry the load; up to ${plural(instances, 'instance')} were measured`]
      : []),
    ...(sizes.podCores === coresEach
      ? []
      : [
          `a pod has ${number(sizes.podCores, 2)} cores and is taken to carry as much of each; instances with ${number(coresEach, 2)} were measured`,
        ]),
    ...kinds.map((kind) => `${number(load[kind])} ${kind}; up to ${number(most(kind))} were measured`),
  ]
}
