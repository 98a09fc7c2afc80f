/** Which of two results of one run rests on more: none replaces one that knows something that it does not. */
import { duringPhase, sampledLateBy } from './evidence.ts'
import type { LoadtestResult } from './loadtest-result.ts'

/** What a result holds of the evidence that verdicts rest on, a name each. */
export function evidenceIn(result: LoadtestResult): ReadonlySet<string> {
  const { runners, distributed, series = [], steps = [], server } = result
  const held = runners.filter(({ crash }) => crash === undefined).map(({ instance }) => `result of ${instance}`)
  for (const { instance, exitCode } of distributed?.runners ?? runners) {
    if (exitCode !== undefined) held.push(`exit code of ${instance}`)
  }
  if (series.length > 0) held.push('windows')
  if (steps.length > 0) held.push('steps')
  if (server === undefined) return new Set(held)
  if (sampledLateBy(result) === 0) held.push('servers from the beginning')
  const inRun = [duringPhase(result, server), duringPhase(result, server, 'ramp')]
  const seen = (series: Parameters<ReturnType<typeof duringPhase>>[0]) => inRun.some((pick) => pick(series).length > 0)
  const { kubernetes, machine, postgres, redis, processes, api } = server
  for (const { name, cpuCores } of kubernetes?.nodes ?? []) if (seen(cpuCores)) held.push(`node ${name}`)
  for (const { pod, throttled } of kubernetes?.pods ?? []) if (seen(throttled)) held.push(`pod ${pod}`)
  for (const { instance } of api) held.push(`API ${instance}`)
  if (machine !== undefined) held.push('machine')
  if (processes.length > 0) held.push('processes')
  if (postgres !== undefined) held.push('Postgres')
  if (postgres?.rowsOfRun !== undefined) held.push('rows of the run')
  if (redis !== undefined) held.push('Redis')
  return new Set(held)
}

/** Whether the second result knows something that the first does not. */
export function lacksEvidence(result: LoadtestResult, other: LoadtestResult): boolean {
  const held = evidenceIn(result)
  return [...evidenceIn(other)].some((name) => !held.has(name))
}

/** Whether two results are of the same run: of one TestRun, else of one id and begun at the same moment. */
export function isSameRun(a: LoadtestResult, b: LoadtestResult): boolean {
  if (a.scenario !== b.scenario || a.runId !== b.runId) return false
  const [uid, other] = [a.distributed?.uid, b.distributed?.uid]
  if (uid !== undefined && other !== undefined) return uid === other
  const begun = ({ runners }: LoadtestResult) => runners.map(({ instance, startedAt }) => `${instance} ${startedAt}`)
  const others = begun(b)
  return begun(a).some((one) => others.includes(one))
}
