import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { SCENARIOS, type ScenarioName, targetsOf } from '@hopwhistle/contract/scenarios.ts'
import type { Command, CommandContext } from '@hopwhistle/platform/command-line/command.ts'
import { EXIT, Failure, Usage } from '@hopwhistle/platform/command-line/failure.ts'
import { oneOf, parseOptions, wholeNumber } from '@hopwhistle/platform/command-line/parse-options.ts'
import { writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { makeCpuGroup, NoCpuGroup } from '@hopwhistle/platform/machine/cpu-group.ts'
import { measureAlone, WAIT_HELP } from '@hopwhistle/platform/machine/measure-alone.ts'
import { mostInstances } from '@hopwhistle/platform/stack/api-instances.ts'
import { provesTargets } from '../../scenarios/lib/profiles.ts'
import { answerFor } from '../capacity/answer.ts'
import { KEPT_DIR, readCapacities, readCapacity, writeCapacity } from '../capacity/capacity-files.ts'
import { type CapacityResult, type PointId, WORKLOADS } from '../capacity/capacity-result.ts'
import { chartValues } from '../capacity/chart-values.ts'
import { measureCapacity, type Plan } from '../capacity/measure-capacity.ts'
import type { Load } from '../capacity/model.ts'
import { renderCapacityPage } from '../capacity/render-page.ts'
import { renderAnswer, renderTerminal, USUAL_SIZES } from '../capacity/render-text.ts'
import { writeCapacityDocument } from '../capacity/write-document.ts'
import { readFit } from '../machine/fit.ts'
import { RESULTS_DIR } from '../run/result-files.ts'
import { NEIGHBOUR_HELP, neighboursOf } from './measurement-options.ts'

const FILE = join(RESULTS_DIR, 'capacity.json')

export const capacity: Command = {
  summary: 'measure how much N API instances carry, and say how many pods a load needs',
  help: `Usage: main.ts capacity [--instances LIST] [--cpu CORES] [--workload NAME]… [--resume] [--wait]
       main.ts capacity --for events=N,reports=N,subscribers=N [--values] [--from FILE]
       main.ts capacity --from FILE [--report FILE]

The first form measures, for each workload and each number of API instances, the highest rate that meets the targets.
Each instance may use only a share of a core. Then it measures a mix, and a number of instances, that the model was not
fitted to, and compares both with the model's prediction. It writes loadtests/results/capacity.json, a page with the same name,
loadtests/baselines/capacity and docs/capacity.md. Takes about half an
hour. Each step is kept; --resume continues after a stop.

The other forms measure nothing: they compute an answer from a kept measurement.

  --instances LIST     numbers of API instances to measure; 1,2,3 if not given. If they fill the machine, these points are
                       left out of the model
  --cpu CORES          CPU of each instance; if not given, three eighths of the machine divided by the most instances, and
                       1 at most. With a small share, one slow report delays everything: choose as much as fits
  --workload NAME      ${WORKLOADS.join(', ')};
                       may be repeated; all if not given
  --steps N            most steps for each point; 8 if not given
  --no-check           measure only what the model needs; check no prediction
  --smoke              small steps: proves that everything works, and nothing about the capacity
  --resume             continue the measurement in the output file
  --output FILE        instead of loadtests/results/capacity.json
  --neighbour NAME     a program that belongs to this machine and may use its CPU, or any; may be repeated
  --wait               ${WAIT_HELP}

  --from FILE          the measurement to read; if not given with --for: loadtests/results/capacity.json, or the one in
                       loadtests/baselines/capacity
  --report FILE        with --from: also write its page to this file
  --for LOAD           events and reports a second, and subscribers to every event: events=2000,reports=50,subscribers=500
  --values             print values for charts/hopwhistle instead
  --pod-cpu CORES      CPU of a pod; ${USUAL_SIZES.podCores} if not given
  --postgres-cpu CORES CPU of the primary, and of the replica; ${USUAL_SIZES.postgresCores} if not given

Limiting the CPU needs Linux, and the right to create a CPU control group: root has it; other users run
systemd-run --user --scope -p Delegate=yes npm run bench -- capacity

${NEIGHBOUR_HELP}

Exit codes: 0 done, 2 it could not be measured, or no number of pods carries the load.
`,
  async run(args, context) {
    const { values } = parseOptions(args, {
      instances: { type: 'string', default: '1,2,3' },
      cpu: { type: 'string' },
      workload: { type: 'string', multiple: true, default: [] },
      steps: { type: 'string', default: '8' },
      smoke: { type: 'boolean', default: false },
      'no-check': { type: 'boolean', default: false },
      resume: { type: 'boolean', default: false },
      output: { type: 'string', default: FILE },
      neighbour: { type: 'string', multiple: true, default: [] },
      wait: { type: 'boolean', default: false },
      from: { type: 'string' },
      report: { type: 'string' },
      for: { type: 'string' },
      values: { type: 'boolean', default: false },
      'pod-cpu': { type: 'string', default: String(USUAL_SIZES.podCores) },
      'postgres-cpu': { type: 'string', default: String(USUAL_SIZES.postgresCores) },
    })
    const { print } = context
    const load = values.for === undefined ? undefined : readLoad(values.for)
    const sizes = {
      podCores: coresOf('--pod-cpu', values['pod-cpu']),
      postgresCores: coresOf('--postgres-cpu', values['postgres-cpu']),
    }
    if (values.values && load === undefined)
      throw new Usage('--values needs a load: --for events=N,reports=N,subscribers=N')
    if (values.report !== undefined && values.from === undefined)
      throw new Usage('--report needs --from: a measurement writes its page by itself')
    if (values.resume && (load !== undefined || values.from !== undefined)) {
      throw new Usage('--resume goes on measuring; --for and --from measure nothing')
    }
    if (load === undefined && values.from === undefined) {
      const plan = planOf({ ...values, neighbours: neighboursOf(values.neighbour) })
      return measure(plan, { ...values, command: ['main.ts capacity', ...args].join(' ') }, context)
    }
    const result = values.from === undefined ? await saved() : readCapacity(values.from)
    if (values.report !== undefined) await writeWhole(values.report, renderCapacityPage(result))
    if (!values.values) print(`\n${renderTerminal(result)}`)
    if (load === undefined) return EXIT.ok
    const answer = answerFor(result, load, sizes)
    if (typeof answer === 'string') throw new Failure(answer)
    print(values.values ? chartValues(answer) : renderAnswer(answer))
    return EXIT.ok
  },
}

async function measure(
  plan: Plan,
  {
    output,
    resume,
    wait,
    command,
  }: { readonly output: string; readonly resume: boolean; readonly wait: boolean; readonly command: string },
  context: CommandContext,
): Promise<number> {
  const { print } = context
  await checkQuota(plan)
  const before = resume && existsSync(output) ? readCapacity(output) : undefined
  if (before !== undefined && (before.coresEach !== plan.coresEach || before.profile !== plan.profile)) {
    throw new Failure(
      `${output} was measured with ${before.coresEach} cores for each instance and profile ${before.profile}, not with ` +
        `${plan.coresEach} and ${plan.profile}. Give --cpu ${before.coresEach}, or measure without --resume`,
    )
  }
  let kept = before
  const keep = (result: CapacityResult) => {
    kept = result
    return writeCapacity(output, result)
  }
  const alone = { ...context, command, wait, provesNothing: !provesTargets(plan.profile) }
  try {
    await measureAlone(alone, () => measureCapacity(plan, before, keep, context))
  } catch (error) {
    if (kept !== undefined)
      context.terminal.step(`  - ${relative(CHECKOUT, output)} has what was measured; go on with --resume`)
    throw error
  }
  if (kept === undefined) throw new Failure('nothing was left to measure')
  print(`\n${renderTerminal(kept)}`)
  const isWhole =
    provesTargets(plan.profile) && WORKLOADS.every((name) => plan.points.some((one) => one.scenario === name))
  const page = output.replace(/(\.json)?$/, '.html')
  await writeWhole(page, renderCapacityPage(kept))
  const written = [output, page]
  if (isWhole) {
    const baseline = join(KEPT_DIR, `${kept.environment.name}.json`)
    await writeCapacity(baseline, kept)
    written.push(baseline, ...(await writeCapacityDocument()))
  }
  print(`Wrote ${written.map((path) => relative(CHECKOUT, path)).join(', ')}.\n`)
  return EXIT.ok
}

/** Before anything is started. @throws {Failure} saying what is needed */
async function checkQuota({ coresEach }: Plan): Promise<void> {
  try {
    await makeCpuGroup('try', coresEach).remove()
  } catch (error) {
    if (error instanceof NoCpuGroup) throw new Failure(error.message)
    throw error
  }
}

function planOf(given: {
  readonly instances: string
  readonly cpu?: string
  readonly workload: readonly string[]
  readonly steps: string
  readonly smoke: boolean
  readonly 'no-check': boolean
  readonly neighbours: readonly string[]
}): Plan {
  const instances = given.instances
    .split(',')
    .map((one) => wholeNumber('--instances', one.trim(), 1, mostInstances() === 1 ? 1 : 64))
  const most = Math.max(...instances)
  const workloads = given.workload.map((name) => oneOf('the workload', name, WORKLOADS))
  const scenarios = workloads.length === 0 ? WORKLOADS : WORKLOADS.filter((name) => workloads.includes(name))
  const fit = [...new Set(instances)]
    .sort((a, b) => a - b)
    .flatMap((count) => scenarios.map((scenario): PointId => ({ scenario, instances: count, role: 'fit' })))
  return {
    profile: given.smoke ? 'smoke' : 'quick',
    coresEach: given.cpu === undefined ? shareOf(most) : coresOf('--cpu', given.cpu),
    points: [...fit, ...(given['no-check'] ? [] : checksOf(scenarios, most + 1))],
    mostSteps: wholeNumber('--steps', given.steps, 2, 50),
    subscriberVUs: readFit().subscriberVUs,
    neighbours: given.neighbours,
  }
}

/** One more instance than the model knows, and a mix with twice the subscribers. */
function checksOf(scenarios: readonly ScenarioName[], instances: number): readonly PointId[] {
  return scenarios.flatMap((scenario): PointId[] => {
    if (!SCENARIOS[scenario].inBaselines) {
      const subscribers = 2 * (targetsOf(scenario).messages?.subscribers ?? 0)
      return [{ scenario, instances, subscribers, role: 'check' }]
    }
    return scenario === 'reporting-endpoints' ? [{ scenario, instances, role: 'check' }] : []
  })
}

/** Three eighths of the machine over all instances: Postgres and k6 need more than they. */
const shareOf = (instances: number): number =>
  Math.min(1, Math.max(0.05, Math.floor((20 * availableParallelism() * 3) / 8 / instances) / 20))

/** @throws {Usage} */
function coresOf(name: string, given: string): number {
  const cores = Number(given)
  if (!(cores >= 0.02 && cores <= 1000))
    throw new Usage(`${name} is "${given}"; it must be a number of cores from 0.02 to 1000`)
  return cores
}

const KINDS = ['events', 'reports', 'subscribers'] as const

/** @throws {Usage} */
function readLoad(given: string): Load {
  const load = { events: 0, reports: 0, subscribers: 0 }
  for (const part of given.split(',')) {
    const [, name = '', count = ''] = /^\s*(\w+)=(\d+)\s*$/.exec(part) ?? []
    if (name === '') throw new Usage(`--for has "${part}"; it may be ${KINDS.map((kind) => `${kind}=N`).join(', ')}`)
    load[oneOf('the kind of load', name, KINDS)] = wholeNumber(name, count, 0, 10_000_000)
  }
  if (load.events + load.reports === 0) throw new Usage(`--for is "${given}"; events or reports must be above 0`)
  return load
}

async function saved(): Promise<CapacityResult> {
  if (existsSync(FILE)) return readCapacity(FILE)
  const [kept] = await readCapacities(KEPT_DIR)
  if (kept === undefined) throw new Failure('nothing was measured yet: first make capacity, or give --from FILE')
  return kept
}
