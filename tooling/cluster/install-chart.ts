import { join } from 'node:path'
import { Failure } from '../../platform/command-line/failure.ts'
import { kubectl } from '../../platform/kubernetes/kubectl.ts'
import { ask } from '../../platform/kubernetes/programs.ts'
import { CHECKOUT } from '../../platform/lib/checkout.ts'
import type { Steps } from './steps.ts'
import { describeUnready } from './unready-pods.ts'
import { tellWhyNotCreated } from './why-not-created.ts'

export type ChartInstallation = {
  /** Its folder below charts/. */
  readonly chart: string
  readonly release: string
  readonly namespace: string
  /** Values files; a later one wins. */
  readonly values?: readonly string[]
  /** Values by path; they win over the files. */
  readonly set?: Readonly<Record<string, string | number | boolean>>
}

/** A database of some size is copied to its replica meanwhile. */
const READY_WITHIN = '15m'

/**
 * Installs a chart or upgrades it, and waits until all of it is ready. Values that were set before and are not set now
 * stay, such as those of `make scale`.
 *
 * What Kubernetes refuses to create meanwhile is shown at once.
 *
 * @throws {Failure} with what Helm said, what was not created, and which pods are not ready
 */
export async function installChart(
  { chart, release, namespace, values = [], set = {} }: ChartInstallation,
  { terminal, signal }: Steps,
): Promise<void> {
  const where = ['--namespace', namespace]
  const given = [
    ...values.flatMap((file) => ['--values', file]),
    ...Object.entries(set).flatMap(([path, value]) => [
      typeof value === 'string' ? '--set-string' : '--set',
      `${path}=${value}`,
    ]),
  ]
  const wait = ['--wait', '--wait-for-jobs', '--timeout', READY_WITHIN]
  const args = ['upgrade', release, join(CHECKOUT, 'charts', chart), '--install', '--reset-then-reuse-values']
  const install = async () => {
    const stopTelling = await tellWhyNotCreated(namespace, (why) => terminal.step(`  ! ${why}`))
    try {
      await ask('helm', [...args, ...where, ...given, ...wait], { signal })
    } catch (error) {
      if (!(error instanceof Failure) || signal.aborted) throw error
      const notCreated = stopTelling().map((why) => `\n  ${why}`)
      const why = notCreated.length === 0 ? '' : `\nnot created:${notCreated.join('')}`
      throw new Failure(`${error.message}${why}${await describeUnready(namespace)}`)
    } finally {
      stopTelling()
    }
    const { items } = JSON.parse(await kubectl('get', 'pods', ...where, '--output', 'json')) as {
      readonly items: readonly unknown[]
    }
    return items.length
  }
  await terminal.during(
    `Installing ${chart} and waiting until it is ready`,
    install,
    (pods) => `✓ Chart ${chart} is ready as ${release} in ${namespace}: ${pods} pods there`,
  )
}
