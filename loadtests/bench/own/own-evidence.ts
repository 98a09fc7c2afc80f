/** Which of two results of one run of a script rests on more: none replaces one that knows something that it does not. */
import { isDeepStrictEqual } from 'node:util'
import type { KeptKind } from '../cluster/kept-result.ts'
import { during, sampledLateBy } from '../evidence/evidence.ts'
import { OWN_FORMAT, type OwnResult } from './own-result.ts'

/** A result of a script as the rules of our scenarios see one. */
export const asSampled = ({ runners, machine, distributed }: OwnResult) => ({
  runners,
  ...(machine === undefined ? {} : { server: machine }),
  ...(distributed === undefined ? {} : { distributed }),
})

/** What a result holds of the evidence that its verdict rests on, a name each. */
function evidenceIn(result: OwnResult): ReadonlySet<string> {
  const { runners, distributed, series, machine, servers } = result
  const held = runners.map(({ instance }) => `result of ${instance}`)
  for (const { instance, exitCode } of distributed?.runners ?? runners) {
    if (exitCode !== undefined) held.push(`exit code of ${instance}`)
  }
  if (series.length > 0) held.push('windows')
  for (const { name, problem } of servers) if (problem === undefined) held.push(`server ${name}`)
  if (machine === undefined) return new Set(held)
  if (sampledLateBy(asSampled(result)) === 0) held.push('machines from the beginning')
  const from = Math.min(...runners.map(({ startedAt }) => Date.parse(startedAt)))
  const to = Math.max(...runners.map(({ endedAt }) => Date.parse(endedAt)))
  const inRun = during({ from, to }, machine)
  const { nodes = [], pods = [] } = machine.kubernetes ?? {}
  for (const { name, cpuCores } of nodes) if (inRun(cpuCores).length > 0) held.push(`node ${name}`)
  for (const { pod, throttled } of pods) if (inRun(throttled).length > 0) held.push(`pod ${pod}`)
  return new Set(held)
}

/** Whether the second result knows something that the first does not. */
export function lacksEvidence(result: OwnResult, other: OwnResult): boolean {
  const held = evidenceIn(result)
  return [...evidenceIn(other)].some((name) => !held.has(name))
}

/** Whether two results are of the same run: of one TestRun, else of one id. */
export function isSameRun(a: OwnResult, b: OwnResult): boolean {
  const [uid, other] = [a.distributed?.uid, b.distributed?.uid]
  return a.name === b.name && a.runId === b.runId && (uid === undefined || other === undefined || uid === other)
}

export const OF_SCRIPTS: KeptKind<OwnResult> = {
  parse: parseOwnResult,
  lacksEvidence,
  differences: (now, kept) =>
    (['targets', 'judged'] as const)
      .filter((what) => !isDeepStrictEqual(now[what], kept[what]))
      .map((what) => `${what === 'judged' ? 'the judged part' : 'the list of targets'} is not what it was`),
}

/** @throws when it is the result of something else */
export function parseOwnResult(text: string): OwnResult {
  const result = JSON.parse(text) as OwnResult
  if (result.format === OWN_FORMAT) return result
  throw new Error(`its format is "${result.format}"; expected "${OWN_FORMAT}"`)
}
