/** k6-operator itself, which tells of its troubles only in its log. */

import { type Cluster, reasonOf } from '@hopwhistle/platform/kubernetes/connect.ts'
import type { V1Pod } from '@kubernetes/client-node'
import { describePod } from './runner-pods.ts'
import { podLogs } from './runner-results.ts'
import { readTestRun } from './test-runs.ts'

/** Of the operator's own manifest and of its chart, but of other operators as well. */
const SELECTOR = 'control-plane=controller-manager'
const IMAGE = /k6-operator/

/**
 * Its last complaint about a TestRun; else why it makes none, and where to look.
 *
 * @returns a clause with the operator as its subject
 * @throws never: who may not look at it is told so
 */
export const operatorSays = async (cluster: Cluster, testRun: string): Promise<string> =>
  (await askOperator(cluster, testRun)).says

/** The same, only where it has a complaint or does not run: undefined of one that may just be busy. @throws never */
export async function operatorTrouble(cluster: Cluster, testRun: string): Promise<string | undefined> {
  const { says, isCertain } = await askOperator(cluster, testRun)
  return isCertain ? says : undefined
}

async function askOperator(
  cluster: Cluster,
  testRun: string,
): Promise<{ readonly says: string; readonly isCertain: boolean }> {
  const certainly = (says: string) => ({ says, isCertain: true })
  const perhaps = (says: string) => ({ says, isCertain: false })
  const pods = await cluster.core.listPodForAllNamespaces({ labelSelector: SELECTOR }).then(
    ({ items }) => items.filter(isOperator),
    (error: unknown) => reasonOf(error),
  )
  if (typeof pods === 'string') {
    return perhaps(`k6-operator stopped there; its log says why, and may not be read: ${pods}`)
  }
  const [pod] = pods.toSorted((a, b) => Number(isUp(b)) - Number(isUp(a)))
  if (pod === undefined) {
    return certainly(
      'k6-operator has no pod in this cluster: if its Deployment was scaled to 0, scale it up, else `make deploy` installs it',
    )
  }
  const { name = '', namespace = '' } = pod.metadata ?? {}
  const { state, reason = state } = describePod(pod)
  if (!isUp(pod)) return certainly(`k6-operator does not run: its pod ${namespace}/${name} is not up (${reason})`)
  const log = await podLogs({ ...cluster, namespace }, pod.spec?.containers[0]?.name)(name).catch(() => '')
  const testRunNow = await readTestRun(cluster, testRun).catch(() => undefined)
  const complaint = lastComplaint(log, cluster.namespace, testRun, testRunNow?.metadata.creationTimestamp)
  const where = `kubectl --namespace ${namespace} logs ${name}`
  return complaint === undefined
    ? perhaps(`k6-operator stopped there; \`${where}\` may say why`)
    : certainly(`k6-operator says: ${complaint}`)
}

const isOperator = ({ spec }: V1Pod): boolean => (spec?.containers ?? []).some(({ image = '' }) => IMAGE.test(image))
const isUp = (pod: V1Pod): boolean => describePod(pod).state === 'running'

/** `TIME	ERROR	controllers.TestRun	what failed	{"name": "the TestRun", "error": "why", …}`, at times without the third */
const COMPLAINT = /\tERROR\t(?:[^\t]*\t)?([^\t]*)\t(\{.*\})$/
/** The last line of one that quotes several lines, and its first. */
const LAST_LINE = /\t(\{"[^\t]*\})$/
const FIRST_LINE = /^\S+\tERROR\t(?:[^\t]*\t)?([^\t]*)$/
const ENTRY = /^\d{4}-\d\d-\d\dT\S+\t/

/**
 * Of one TestRun; those of others are none of its business.
 *
 * @param since when it was made, RFC 3339: an earlier one may have had its name
 */
export function lastComplaint(log: string, namespace: string, testRun: string, since = ''): string | undefined {
  for (const { time, what, json } of complaintsIn(log.split('\n')).toReversed()) {
    if (Date.parse(time) < Date.parse(since)) continue
    const { error, ...of } = details(json)
    if (of.namespace === namespace && of.name === testRun) return error === undefined ? what : `${what}: ${error}`
  }
  return undefined
}

type Complaint = { readonly time: string; readonly what: string; readonly json: string }

function complaintsIn(lines: readonly string[]): readonly Complaint[] {
  const timeOf = (line: string) => line.slice(0, line.indexOf('\t'))
  return lines.flatMap((line, i): Complaint[] => {
    const [, what, json = ''] = COMPLAINT.exec(line) ?? []
    if (what !== undefined) return [{ time: timeOf(line), what, json }]
    const [, ofSeveral] = LAST_LINE.exec(line) ?? []
    if (ofSeveral === undefined || ENTRY.test(line)) return []
    const first = lines.slice(0, i).findLast((earlier) => ENTRY.test(earlier)) ?? ''
    const [, begun] = FIRST_LINE.exec(first) ?? []
    return begun === undefined ? [] : [{ time: timeOf(first), what: withoutQuote(begun), json: ofSeveral }]
  })
}

/** What it quotes begins on the same line. */
const withoutQuote = (text: string): string => text.replace(/[\s:]*`.*$/, '')

function details(json: string): Readonly<Partial<Record<'namespace' | 'name' | 'error', string>>> {
  try {
    return JSON.parse(json)
  } catch {
    return {}
  }
}
