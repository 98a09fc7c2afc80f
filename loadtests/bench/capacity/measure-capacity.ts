/**
 * Measures the points of a plan that are not measured yet, one stack for each number of instances:
 *
 *   start the stack ─▶ warm it up ─▶ limit each instance's CPU ─▶ search the capacity of each workload ─▶ stop it
 *
 * Each step is handed out as soon as it is made, so that a measurement that was stopped goes on where it was.
 */
import { type ScenarioName, trafficIn } from '@hopwhistle/contract/scenarios.ts'
import type { CommandContext } from '@hopwhistle/platform/command-line/command.ts'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { duration } from '@hopwhistle/platform/command-line/terminal.ts'
import { number, plural } from '@hopwhistle/platform/document/figures.ts'
import { type CpuGroup, makeCpuGroup } from '@hopwhistle/platform/machine/cpu-group.ts'
import { judgeStep } from '../judge/carried.ts'
import { isDisturbed } from '../judge/judge.ts'
import { inShort, measureStep, usualStepMs } from '../run/measure-step.ts'
import { warmUp } from '../run/warm-up.ts'
import { type Measure, withStack } from '../run/with-stack.ts'
import { CAPACITY_FORMAT, type CapacityResult, type CapacityStep, type Point, type PointId } from './capacity-result.ts'
import { capacityOf, nextRateUp, type Tried } from './next-rate-up.ts'
import { useOf } from './use-of.ts'

export type Plan = Pick<CapacityResult, 'profile' | 'coresEach'> & {
  readonly points: readonly PointId[]
  readonly mostSteps: number
  readonly subscriberVUs: number
  readonly neighbours: readonly string[]
}

const WARM_UP_MS = 4_000
/** A step that takes this many times as long as usual is waiting for a platform that does not keep up. */
const MOST_TIMES_LONGER = 2.5
/** The first rate that is tried, a second and core of the API. Too small costs a step or two, and so does too large. */
const START_PER_CORE = { updates: 450, reports: 130, messages: 70 } as const
/** The same from the capacity of fewer instances, as a part of what as many times the instances would carry. */
const START_OF_EXPECTED = 0.88

/**
 * @param before a measurement that was stopped
 * @param keep called with the whole after each step
 */
export async function measureCapacity(
  plan: Plan,
  before: CapacityResult | undefined,
  keep: (result: CapacityResult) => Promise<void>,
  context: CommandContext,
): Promise<CapacityResult | undefined> {
  const startedAt = before?.startedAt ?? new Date().toISOString()
  const known = before?.points ?? []
  let points: readonly Point[] = [
    ...known,
    ...plan.points.filter((id) => !known.some((one) => isSame(one, id))).map((id) => ({ ...id, steps: [] })),
  ]
  let result = before
  const next = (point: Point) =>
    nextRateUp({ ...plan, tried: triedOf(point, plan), startPerSecond: startOf(point, points, plan) })

  for (const instances of new Set(plan.points.map((point) => point.instances))) {
    const mine = () =>
      plan.points.flatMap((id) =>
        points.filter((point) => isSame(point, id) && id.instances === instances && next(point) !== undefined),
      )
    if (mine().length === 0) continue
    const groups: CpuGroup[] = []
    try {
      const fit = { apiInstances: instances, subscriberVUs: plan.subscriberVUs }
      await withStack({ fit, neighbours: plan.neighbours }, context, async (measure) => {
        await context.terminal.during('warming up', () => warmUp(measure.target, WARM_UP_MS, context.signal))
        limitApi(measure, plan.coresEach, groups)
        for (const point of mine()) await search(point, measure)
      })
    } finally {
      for (const group of groups) await group.remove()
    }
  }
  return result

  async function search(begun: Point, measure: Measure) {
    let point = begun
    for (let rate = next(point); rate !== undefined; rate = next(point)) {
      const step = await makeStep(point, rate, plan, measure)
      const longer = { ...point, steps: [...point.steps, step] }
      points = points.map((one) => (one === point ? longer : one))
      point = longer
      result = {
        format: CAPACITY_FORMAT,
        startedAt,
        profile: plan.profile,
        environment: result?.environment ?? measure.environment,
        coresEach: plan.coresEach,
        points,
      }
      await keep(result)
    }
    const { held, confirmed } = capacityOf(triedOf(point, plan))
    const how = held === 0 ? 'no rate held' : `${number(held)}/s${confirmed ? ', confirmed' : ', not confirmed'}`
    context.terminal.step(`  ✓ ${nameOf(point).padEnd(22)} ${how}`)
  }
}

/** Each instance in a group of its own. @param made gets each as soon as it is there, to be removed */
function limitApi({ target }: Measure, coresEach: number, made: CpuGroup[]): void {
  for (const { name, kind, pid } of target.sampled.processes ?? []) {
    if (kind !== 'api' || typeof pid !== 'number') continue
    const group = makeCpuGroup(name, coresEach)
    made.push(group)
    group.add(pid)
  }
}

async function makeStep(point: Point, ratePerSecond: number, plan: Plan, measure: Measure): Promise<CapacityStep> {
  const { terminal } = measure
  const { scenario, subscribers } = point
  const overrides = {
    SUBSCRIBER_VUS: String(plan.subscriberVUs),
    ...(subscribers === undefined ? {} : { SUBSCRIBERS: String(subscribers) }),
  }
  const withinMs = MOST_TIMES_LONGER * usualStepMs(scenario, plan.profile)
  for (let attempt = 1; ; attempt++) {
    const beganAt = performance.now()
    const say = (what: string) =>
      terminal.step(
        `      ${nameOf(point)} ${number(ratePerSecond)}/s ${what} (${duration(performance.now() - beganAt)})`,
      )
    const step = await measureStep({ ...measure, scenario, profile: plan.profile, overrides, ratePerSecond, withinMs })
    if (step instanceof Failure) {
      say(`gave no result: ${step.message}`)
      return { ratePerSecond, outcome: 'invalid', why: step.message }
    }
    const verdict = judgeStep(step, measure)
    say(inShort(verdict))
    if (isDisturbed(verdict) && attempt === 1) continue
    const use = useOf(step)
    const why = verdict.reasons.find(({ effect }) => effect !== 'remark')?.text
    return {
      ratePerSecond,
      outcome: verdict.outcome,
      ...(why === undefined ? {} : { why }),
      ...(use === undefined ? {} : { use }),
    }
  }
}

export const nameOf = ({ scenario, instances, subscribers }: PointId): string =>
  `${scenario}${subscribers === undefined ? '' : ` to ${number(subscribers)} subscribers`}, ${plural(instances, 'instance')}`

export const isSame = (a: PointId, b: PointId): boolean =>
  a.scenario === b.scenario && a.instances === b.instances && a.subscribers === b.subscribers && a.role === b.role

export const triedOf = (
  { steps, instances }: Point,
  { coresEach }: Pick<CapacityResult, 'coresEach'>,
): readonly Tried[] =>
  steps.map(({ ratePerSecond, outcome, use }) => ({
    ratePerSecond,
    holds: outcome === 'met',
    ...(use === undefined ? {} : { use: use.cpu.api / (instances * coresEach) }),
  }))

/** From the same workload at fewer instances, if it was measured; else from what any machine carries. */
function startOf(point: Point, points: readonly Point[], plan: Plan): number {
  const known = points
    .filter(
      (one) =>
        one.scenario === point.scenario && one.subscribers === point.subscribers && one.instances < point.instances,
    )
    .map((one) => ({ instances: one.instances, held: capacityOf(triedOf(one, plan)).held }))
    .findLast(({ held }) => held > 0)
  if (known === undefined) return START_PER_CORE[first(point.scenario)] * plan.coresEach * point.instances
  return (START_OF_EXPECTED * known.held * point.instances) / known.instances
}

const first = (scenario: ScenarioName) => trafficIn(scenario)[0]
