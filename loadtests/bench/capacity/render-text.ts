/** Capacity as text: lines for a terminal, and docs/capacity.md. */
import { SCENARIOS, TRAFFIC, trafficIn } from '@hopwhistle/contract/scenarios.ts'
import { figure, number, plural } from '@hopwhistle/platform/document/figures.ts'
import { blocks, bullets, code, minute, table } from '@hopwhistle/platform/document/markdown.ts'
import { coresText } from '@hopwhistle/platform/machine/machine-line.ts'
import { type Answer, answerFor, loadText, MOST_PODS, PART_NAMES, type Sizes, stopOf } from './answer.ts'
import type { CapacityResult, Point } from './capacity-result.ts'
import { triedOf } from './measure-capacity.ts'
import {
  type Costs,
  DRAWS,
  drawnModels,
  interval,
  isFull,
  type Load,
  loadOf,
  type Model,
  modelOf,
  PARTS,
  predictedRate,
} from './model.ts'
import { capacityOf } from './next-rate-up.ts'
import { peakOfLaw } from './scalability-law.ts'

export const EXAMPLE: Load = { events: 2000, reports: 50, subscribers: 500 }
export const USUAL_SIZES: Sizes = { podCores: 1, postgresCores: 4 }

/** What was found of each point, and the law. */
export function renderTerminal(result: CapacityResult): string {
  const model = modelOf(result)
  const lines = result.points.map((point) => `  ${named(point).padEnd(54)} ${foundText(point, result, model)}`)
  return `${[...lines, ...(model === undefined ? [] : [`  ${'law'.padEnd(54)} ${lawText(result, model)}`])].join('\n')}\n`
}

const named = ({ scenario, instances, subscribers }: Point): string =>
  `${scenario}${subscribers === undefined ? '' : `, ${number(subscribers)} subscribers`}, ${plural(instances, 'instance')}`

/** `312/s, confirmed; the next that was tried, 325/s: the event loop of api-1, busy 96 % …`. */
function foundText(point: Point, result: CapacityResult, model: Model | undefined): string {
  if (point.steps.length === 0) return 'not measured'
  const { held, failed, confirmed } = capacityOf(triedOf(point, result))
  const first = held === 0 ? 'no rate held' : `${number(held)}/s${confirmed ? '' : ', not confirmed'}`
  const check = point.role === 'fit' || model === undefined ? '' : `, ${checkText(predictedRate(model, point), held)}`
  const at = failed === undefined ? '' : `; at ${number(failed)}/s: ${limitAt(point, failed)}`
  return `${first}${check}${at}${isFull(point, held) ? ' (left out of the law)' : ''}`
}

/** Why a rate did not hold. */
export const limitAt = ({ steps }: Point, ratePerSecond: number): string => {
  const step = steps.find((one) => one.ratePerSecond === ratePerSecond && one.outcome !== 'met')
  return step?.use?.limitedBy ?? step?.why ?? 'not known'
}

const checkText = (predicted: number, measured: number): string =>
  `predicted ${number(predicted)}/s${measured === 0 ? '' : ` (${signed(predicted / measured - 1)})`}`

/** `+4.2 %` */
export const signed = (part: number): string => `${part < 0 ? '−' : '+'}${number(Math.abs(100 * part), 1)} %`

const range = ([low, high]: readonly [number, number], text: (value: number) => string = figure): string =>
  `${text(low)} to ${text(high)}`

const podsText = (pods: number): string => (pods > MOST_PODS ? 'none' : number(pods))

function lawText(result: CapacityResult, { law }: Model): string {
  const draws = drawnModels(result).map((one) => one.law)
  const of = (value: (one: Model['law']) => number) => range(interval(draws.map(value)))
  const peak = peakOfLaw(law)
  return (
    `contention σ ${figure(law.sigma)} (${of(({ sigma }) => sigma)}), ` +
    `coherence κ ${figure(law.kappa)} (${of(({ kappa }) => kappa)})` +
    `${Number.isFinite(peak) ? `, at most ${plural(Math.floor(peak), 'instance')}` : ''}`
  )
}

export function renderAnswer(answer: Answer): string {
  const { load, podCores, pods, needed, pool, maxConnections, cpu, stops, extrapolated } = answer
  const line = (name: string, text: string) => `  ${name.padEnd(12)} ${text}\n`
  return [
    `\n  For ${loadText(load)}, with room for one pod lost:\n\n`,
    line(
      'API',
      `${plural(pods, 'pod')} of ${plural(podCores, 'core')}; ${number(needed.pods)} (${range(needed.interval, podsText)}) carry it`,
    ),
    line('Pool', `${number(pool)} connections in each pod, max_connections ${number(maxConnections)}`),
    ...PARTS.map((part) =>
      line(
        part === 'api' ? 'CPU of API' : part,
        `${number(cpu[part].cores, 2)} cores (${range(cpu[part].interval, (value) => number(value, 2))})`,
      ),
    ),
    line('More pods', `help up to ${number(stops.pods)}: ${stops.why}`),
    ...extrapolated.map((text) => line('Extrapolated', text)),
    '\n  Chart values: the same command with --values\n',
  ].join('')
}

/**
 * @param results one for each environment
 * @param chartOf where the chart of one lies, relative to the document
 */
export function renderDocument(
  results: readonly CapacityResult[],
  chartOf: (result: CapacityResult) => string | undefined = () => undefined,
): string {
  const parts = results.map((result) => environmentPart(result, results.length > 1, chartOf(result)))
  return `${blocks('# Capacity', INTRODUCTION, ...(parts.length === 0 ? [NONE] : parts), QUESTIONS)}\n`
}

const INTRODUCTION = `This page says how many pods, which pool size, and how much Postgres and Redis a load needs. \`make capacity\` measures it and
writes the page.

For each workload, and for a mix of all, it looks for the highest arrival rate that meets all of the workload's targets: it
raises the rate until a target is missed, halves the span, and confirms the answer by a second run. It does so with one API
instance, with two, and so on. Each instance may use only a stated share of a core, so that there is room for several of
them, for Postgres, Redis and k6 on one machine.

It computes two things from these steps. **Costs**: the CPU time that each server spends on an event, a report, a frame to a
subscriber, and an event in a frame, fitted by least squares. **The law**: what N instances carry, by the [universal
scalability law](https://arxiv.org/abs/0808.1431) of N. J. Gunther, X(N) = λN / (1 + σ(N − 1) + κN(N − 1)), in CPU seconds of
work a second, with one σ and one κ for all workloads. Each range contains 95 % of ${DRAWS} bootstrap samples. A sample draws
the steps with replacement, and each capacity between the highest rate that met the targets and the lowest that did not.`

const NONE = '**No measurement is kept yet.** `make capacity` makes one.'

const QUESTIONS = blocks(
  '## Ask about your load',
  code(
    'bash',
    'npm run bench -- capacity --for events=2000,reports=50,subscribers=500',
    'npm run --silent bench -- capacity --for events=2000,reports=50,subscribers=500 --values > sizes.yaml',
    'helm template charts/hopwhistle --values sizes.yaml',
  ),
  'Every event is delivered to every subscriber. `--pod-cpu` and `--postgres-cpu` set other sizes of pods and of Postgres. The answer says what is extrapolated. `npm run bench -- capacity --help` lists all options.',
)

/** All that is worked out of one measurement. @param chart where that lies, relative to the document */
export function environmentPart(result: CapacityResult, several = false, chart?: string): string {
  const { environment, coresEach, startedAt } = result
  const model = modelOf(result)
  const heading = several ? `## ${environment.name}` : '## What instances carry'
  const where = `Measured on ${environment.machine.cpuModel}, ${coresText(environment.machine)}, ${minute(startedAt)}. Each API instance could use ${figure(coresEach)} cores.`
  if (model === undefined) return blocks(heading, where, 'No step held.')
  return blocks(
    heading,
    where,
    carriedTable(result),
    notes(result),
    lawPart(result, model),
    chart && `![What N instances carry, and the law](${chart})`,
    checkPart(result, model),
    costPart(result, model),
    stopPart(model),
    examplePart(result),
  )
}

function carriedTable(result: CapacityResult): string {
  const points = result.points.filter(({ role }) => role === 'fit')
  const counts = [...new Set(points.map(({ instances }) => instances))].sort((a, b) => a - b)
  const scenarios = [...new Set(points.map(({ scenario }) => scenario))]
  const cell = (point: Point | undefined) => {
    if (point === undefined) return '–'
    const { held, confirmed } = capacityOf(triedOf(point, result))
    return `${number(held)}${confirmed ? '' : ' ¹'}${isFull(point, held) ? ' ²' : ''}`
  }
  return table(
    ['Workload', 'Unit', ...counts.map((count) => plural(count, 'instance'))],
    scenarios.map((scenario) => [
      SCENARIOS[scenario].title,
      TRAFFIC[trafficIn(scenario)[0]].rate.unit,
      ...counts.map((count) => cell(points.find((one) => one.scenario === scenario && one.instances === count))),
    ]),
    counts.map((_, i) => i + 2),
  )
}

function notes(result: CapacityResult): string {
  const found = result.points.map((point) => ({ point, ...capacityOf(triedOf(point, result)) }))
  return [
    ...(found.some(({ confirmed }) => !confirmed) ? ['¹ Not confirmed by a second run.'] : []),
    ...(found.some(({ point, held }) => isFull(point, held))
      ? ["² The machine's own CPU was full at the next larger rate: left out of the law."]
      : []),
  ].join(' ')
}

const lawPart = (result: CapacityResult, model: Model): string =>
  `The law: ${lawText(result, model)}. σ is the part of the work that waits its turn; κ is what instances cost each other.`

function checkPart(result: CapacityResult, model: Model): string {
  const checks = result.points.filter(({ role, steps }) => role === 'check' && steps.length > 0)
  if (checks.length === 0) return ''
  const draws = drawnModels(result)
  return blocks(
    '### Predictions, checked',
    'These points are no part of the model: it predicts them, and then they were measured.',
    table(
      ['Workload', 'Instances', 'Predicted', 'Measured', 'Difference'],
      checks.map((point) => {
        const { held } = capacityOf(triedOf(point, result))
        const predicted = predictedRate(model, point)
        const subscribers = point.subscribers === undefined ? '' : `, ${number(point.subscribers)} subscribers`
        return [
          `${SCENARIOS[point.scenario].title}${subscribers}`,
          number(point.instances),
          `${number(predicted)} (${range(interval(draws.map((one) => predictedRate(one, point))), number)})`,
          `${number(held)}${isFull(point, held) ? ' (machine full)' : ''}`,
          held === 0 ? '–' : signed(predicted / held - 1),
        ]
      }),
      [1, 2, 3, 4],
    ),
  )
}

const UNITS: readonly (readonly [keyof Costs, string, number])[] = [
  ['event', '1,000 events', 1000],
  ['report', '1,000 reports', 1000],
  ['frame', '1,000 frames to subscribers: one for each event, at most one each tick', 1000],
  ['delivery', '1,000 events in those frames', 1000],
  ['rest', 'without load, a second; the API: each instance', 1],
]

function costPart(result: CapacityResult, model: Model): string {
  const draws = drawnModels(result)
  const cell = (part: (typeof PARTS)[number], of: keyof Costs, times: number) =>
    `${figure(times * model.costs[part][of])} (${range(interval(draws.map((one) => times * one.costs[part][of])))})`
  return blocks(
    '### What work costs',
    'CPU seconds, of all instances together.',
    table(
      ['Work', ...PARTS.map((part) => PART_NAMES[part])],
      UNITS.map(([of, name, times]) => [name, ...PARTS.map((part) => cell(part, of, times))]),
      PARTS.map((_, i) => i + 1),
    ),
  )
}

function stopPart(model: Model): string {
  const stops = [...model.law.lambda.keys()].map((name) => {
    const scenario = name as keyof typeof SCENARIOS
    const { pods, why } = stopOf(model, loadOf(scenario, 100), USUAL_SIZES)
    return `**${SCENARIOS[scenario].title}**: ${plural(pods, 'pod')}; ${why}.`
  })
  return blocks(
    '### Where more pods stop helping',
    `With pods of ${plural(USUAL_SIZES.podCores, 'core')}, and Postgres with ${plural(USUAL_SIZES.postgresCores, 'core')}. Extrapolated from the costs and the law.`,
    bullets(stops),
  )
}

function examplePart(result: CapacityResult): string {
  const answer = answerFor(result, EXAMPLE, USUAL_SIZES)
  const heading = `### An example: ${loadText(EXAMPLE)}`
  if (typeof answer === 'string') return blocks(heading, `There is no answer: ${answer}.`)
  const { pods, podCores, needed, pool, maxConnections, cpu, stops, extrapolated } = answer
  return blocks(
    heading,
    table(
      ['What', 'Needed'],
      [
        [
          'API pods, one of them may be lost',
          `${number(pods)} of ${plural(podCores, 'core')}; ${number(needed.pods)} (${range(needed.interval, podsText)}) carry the load`,
        ],
        ['Connections in each pod’s pool', number(pool)],
        ['`postgres.maxConnections`', number(maxConnections)],
        ...PARTS.map((part) => [
          `CPU of ${PART_NAMES[part]}`,
          `${number(cpu[part].cores, 2)} cores (${range(cpu[part].interval, (value) => number(value, 2))})`,
        ]),
        ['More pods help up to', `${number(stops.pods)}: ${stops.why}`],
      ],
    ),
    extrapolated.length === 0 ? '' : `Extrapolated: ${extrapolated.join('; ')}.`,
  )
}
