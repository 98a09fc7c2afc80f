/** One load test of a namespace at a time: two would measure each other. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import type { Terminal } from '@hopwhistle/platform/command-line/terminal.ts'
import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import { LOADTEST_LABELS } from '../../kubernetes/test-run.ts'
import { listTestRuns, type TestRunObject } from './test-runs.ts'

/** Another TestRun is there that is not over. */
export class NotAlone extends Failure {}

const OVER: ReadonlySet<string> = new Set(['finished', 'error'])
const LOOK_EVERY_MS = 5_000

/**
 * Call it before a TestRun is made, and again once it is there: of two that are made at the same moment, at least one
 * sees the other.
 *
 * @param own the name of the one that is there
 * @throws {NotAlone} naming one of ours that still runs, and how to end it
 */
export async function requireAlone(cluster: Cluster, own?: string): Promise<void> {
  const [other] = (await listTestRuns(cluster)).filter(
    (testRun) => isOurs(testRun) && testRun.metadata.name !== own && !OVER.has(testRun.status?.stage ?? ''),
  )
  if (other === undefined) return
  const { name, namespace } = other.metadata
  throw new NotAlone(
    `TestRun "${name}" in namespace "${namespace}" is not over (${other.status?.stage ?? 'new'}), and two would measure ` +
      `each other: wait for it with --wait, or end it with main.ts stop ${name} --namespace ${namespace}`,
  )
}

/** Runs `measure` once no other is there; `measure` itself throws NotAlone when one came at the same moment. */
export async function whenAlone<T>(
  cluster: Cluster,
  { wait, terminal, signal }: { readonly wait: boolean; readonly terminal: Terminal; readonly signal: AbortSignal },
  measure: () => Promise<T>,
): Promise<T> {
  let awaited: string | undefined
  for (;;) {
    try {
      await requireAlone(cluster)
      return await measure()
    } catch (error) {
      if (!wait || !(error instanceof NotAlone)) throw error
      const [other = ''] = error.message.split(' is not over')
      // In the log of a Job as well, once for each.
      if (other !== awaited) terminal.step(`  - waits for another load test: ${error.message.split(',')[0]}`)
      awaited = other
      terminal.show(`  … waiting: ${error.message.split(',')[0]}`)
    }
    // Not both again at the same moment.
    await sleep(LOOK_EVERY_MS * (1 + Math.random()), undefined, { signal })
  }
}

const isOurs = ({ metadata }: TestRunObject): boolean =>
  Object.entries(LOADTEST_LABELS).every(([name, value]) => metadata.labels?.[name] === value)
