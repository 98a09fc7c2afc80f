/** Whether a TestRun still says what its runners ran with: k6-operator does not run it again when it is changed. */
import type { V1Pod } from '@kubernetes/client-node'
import { settingOf, type TestRunObject } from './test-runs.ts'

/** What a scenario reads, besides its key and how its result is kept. */
const SETTINGS: ReadonlySet<string> = new Set([
  ...['API_URL', 'WS_URL', 'TENANT_ID', 'RUN_ID', 'PROFILE', 'PARALLELISM', 'RAMP_SECONDS', 'PEAK_SECONDS'],
  ...['RATE', 'VUS', 'SUBSCRIBERS', 'SUBSCRIBER_VUS', 'PUBLISHER_VUS', 'MESSAGES_PER_SECOND'],
])

/** @returns a clause for each difference between a TestRun and the pods that were made from it */
export function changedSince({ spec }: TestRunObject, pods: readonly V1Pod[]): readonly string[] {
  const given = spec.runner?.env ?? []
  const settings = pods.flatMap((pod) => {
    const container = pod.spec?.containers.find(({ name }) => name === 'k6') ?? pod.spec?.containers[0]
    if (container === undefined) return []
    const ran = new Map(
      (container.env ?? []).flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
    )
    const changed = given.flatMap(({ name, value }) =>
      value === undefined || value === ran.get(name) ? [] : [difference(name, value, ran.get(name))],
    )
    const names = new Set(given.map(({ name }) => name))
    // Others may be of a webhook of the cluster, or of the operator.
    const removed = [...ran].filter(([name]) => SETTINGS.has(name) && !names.has(name))
    return [...changed, ...removed.map(([name, value]) => difference(name, undefined, value))]
  })
  const jobs = new Set(pods.map(({ metadata }) => metadata?.labels?.['job-name'])).size
  const fewer = jobs > spec.parallelism ? [difference('the parallelism', String(spec.parallelism), String(jobs))] : []
  return [...new Set([...settings, ...fewer])]
}

/** The same of what a command read from a TestRun before it watched it. */
export function changedMeanwhile(before: TestRunObject, now: TestRunObject): readonly string[] {
  const names = [...(before.spec.runner?.env ?? []), ...(now.spec.runner?.env ?? [])].map(({ name }) => name)
  const settings = [...new Set(names)].flatMap((name) => {
    const [was, is] = [settingOf(before, name), settingOf(now, name)]
    return was === is ? [] : [difference(name, is, was)]
  })
  const others = [
    ['the parallelism', ({ spec }: TestRunObject) => String(spec.parallelism)],
    ['the image', ({ spec }: TestRunObject) => spec.runner?.image],
  ] as const
  const changed = others.flatMap(([what, of]) =>
    of(before) === of(now) ? [] : [difference(what, of(now), of(before))],
  )
  return [...settings, ...changed]
}

/** Values of variables that are no settings of ours may be secrets. */
function difference(what: string, now: string | undefined, before: string | undefined): string {
  if (/^[A-Z]/.test(what) && !SETTINGS.has(what)) return `${what} is not what it was`
  return `${what} is ${now ?? 'not set'} now, and was ${before ?? 'not set'}`
}
