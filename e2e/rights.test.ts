import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connect } from '@hopwhistle/platform/kubernetes/connect.ts'
import { ask } from '@hopwhistle/platform/kubernetes/programs.ts'
import { expect, inject, onTestFinished, test } from 'vitest'
import { deployEnvironment } from './support/deploy.ts'
import { platform } from './support/platform.ts'

const ADMIN = 'only-admin'

test('an admin of an existing namespace, with no other right, deploys the platform and its monitoring there', async () => {
  const namespace = inject('namespace')
  const shared = await platform()
  const folder = mkdtempSync(join(tmpdir(), 'hopwhistle-admin-'))
  const kubectl = (...args: readonly string[]) => ask('kubectl', ['--namespace', namespace, ...args])
  onTestFinished(async () => {
    rmSync(folder, { recursive: true, force: true })
    await shared.uninstall(`${ADMIN}-monitoring`).catch(() => {})
    await shared.uninstall(ADMIN).catch(() => {})
  })
  await kubectl('create', 'serviceaccount', ADMIN)
  await kubectl('create', 'rolebinding', ADMIN, '--clusterrole', 'admin', `--serviceaccount=${namespace}:${ADMIN}`)
  const token = (await kubectl('create', 'token', ADMIN, '--duration', '1h')).trim()
  const KUBECONFIG = join(folder, 'config')
  writeFileSync(KUBECONFIG, kubeconfigOf(token), { mode: 0o600 })
  const small = join(folder, 'small.yaml')
  writeFileSync(small, 'api: { replicas: 1 }\npostgres: { replica: { enabled: false } }\n')
  const env = deployEnvironment(namespace)
  const { stdout, stderr } = await promisify(execFile)('node', ['tooling/cluster/main.ts', 'deploy'], {
    env: { ...env, KUBECONFIG, RELEASE: ADMIN, VALUES: `${env.VALUES},${small}` },
  })
  expect(stdout).toContain(`Hopwhistle is up in namespace ${namespace}`)
  expect(stderr).toContain('You may not make a ClusterRole')
})

function kubeconfigOf(token: string): string {
  const cluster = connect().config.getCurrentCluster()!
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: cluster.server, 'certificate-authority-data': cluster.caData ?? '' } }],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  })
}
