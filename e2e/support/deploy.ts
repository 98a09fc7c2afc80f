/**
 * Deploys the platform as `make deploy` does, into a namespace of its own, for all tests; removed at the end.
 *
 * Environment, besides what `make deploy` reads:
 *   E2E_KEEP=yes   leaves the namespace there, to look at
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import type { TestProject } from 'vitest/node'
import { connectToCluster } from './cluster.ts'

declare module 'vitest' {
  interface ProvidedContext {
    readonly namespace: string
    readonly release: string
  }
}

const RELEASE = 'e2e'
const VALUES = 'e2e/values.yaml'
const MONITORING_VALUES = 'e2e/values-monitoring.yaml'
const run = promisify(execFile)

/** What `make deploy` would read, for this namespace. */
export function deployEnvironment(namespace: string): NodeJS.ProcessEnv {
  const after = (ours: string, theirs = '') => [ours, theirs].filter((file) => file !== '').join(',')
  return {
    ...process.env,
    K6_OPERATOR: 'skip',
    DEMO_DATA: 'skip',
    NAMESPACE: namespace,
    RELEASE,
    VALUES: after(VALUES, process.env.VALUES),
    MONITORING_VALUES: after(MONITORING_VALUES, process.env.MONITORING_VALUES),
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const namespace = `hopwhistle-e2e-${randomBytes(3).toString('hex')}`
  project.provide('namespace', namespace)
  project.provide('release', RELEASE)
  const startedAt = performance.now()
  try {
    await run('node', ['tooling/cluster/main.ts', 'deploy'], { env: deployEnvironment(namespace) })
  } catch (error) {
    await remove(namespace)
    throw new Error(`the platform could not be deployed: ${(error as { stderr?: string }).stderr ?? error}`)
  }
  process.stdout.write(`deployed into ${namespace} in ${Math.round((performance.now() - startedAt) / 1000)} s\n`)
  return () => remove(namespace)
}

async function remove(namespace: string): Promise<void> {
  if (process.env.E2E_KEEP === 'yes') return
  const { core, rbac } = connectToCluster()
  // What lets Prometheus read from nodes belongs to no namespace.
  const name = `${namespace}-${RELEASE}-monitoring-prometheus`
  await rbac.deleteClusterRoleBinding({ name }).catch(() => {})
  await rbac.deleteClusterRole({ name }).catch(() => {})
  await core.deleteNamespace({ name: namespace }).catch(() => {})
  const isGone = () =>
    core.readNamespace({ name: namespace }).then(
      () => false,
      () => true,
    )
  await waitUntil('the namespace to be gone', isGone, { timeoutMs: 120_000, everyMs: 500 })
}
