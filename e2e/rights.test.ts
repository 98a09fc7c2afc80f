/**
 * An admin of an existing namespace, with no right elsewhere, runs `make deploy`. Small, and on the Postgres of the first
 * release: a cluster for tests has few volumes, and what waits for one waits until Helm gives up.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { connect } from '@hopwhistle/platform/kubernetes/connect.ts'
import { ask, tryTo } from '@hopwhistle/platform/kubernetes/programs.ts'
import { expect, inject, onTestFinished, test } from 'vitest'
import { deployEnvironment } from './support/deploy.ts'
import { type Platform, platform } from './support/platform.ts'

const ADMIN = 'only-admin'
const SECRET = `${ADMIN}-postgres`
/** Less than the test may take, so that it says how far the deployment came. */
const DEPLOYED_WITHIN_MS = 420_000

const namespace = inject('namespace')
const kubectl = (...args: readonly string[]) => ask('kubectl', ['--namespace', namespace, ...args])

test('an admin of an existing namespace, with no other right, deploys the platform and its monitoring there', async ({
  skip,
}) => {
  const first = await platform()
  const folder = mkdtempSync(join(tmpdir(), 'hopwhistle-admin-'))
  onTestFinished(async () => {
    rmSync(folder, { recursive: true, force: true })
    await first.uninstall(`${ADMIN}-monitoring`).catch(() => {})
    await first.uninstall(ADMIN).catch(() => {})
    await kubectl('delete', 'pvc', '--selector', `app.kubernetes.io/instance=${ADMIN}-monitoring`, '--wait=false')
  })
  const token = await tokenOfAdmin()
  if (token === undefined) return skip('missing: the right to make a RoleBinding to ClusterRole admin')
  const KUBECONFIG = join(folder, 'config')
  writeFileSync(KUBECONFIG, kubeconfigOf(token), { mode: 0o600 })
  const asAdmin = (...args: readonly string[]) => tryTo('kubectl', ['--kubeconfig', KUBECONFIG, ...args])
  expect(await asAdmin('auth', 'can-i', 'create', 'deployments', '--namespace', namespace, '--quiet')).toBeDefined()
  for (const beyond of ['get nodes', 'patch namespaces', 'create clusterroles', 'list pods --all-namespaces'])
    expect(await asAdmin('auth', 'can-i', ...beyond.split(' '), '--quiet'), `it may ${beyond}`).toBeUndefined()

  await makeUrls(first)
  const { spec } = await first.apiDeployment()
  const values = join(folder, 'small.yaml')
  writeFileSync(
    values,
    `api: { replicas: 1, image: '${spec!.template.spec!.containers[0]!.image}' }
postgres: { external: { enabled: true, existingSecret: ${SECRET} } }
`,
  )
  const env = deployEnvironment(namespace)
  const deploy = promisify(execFile)('node', ['tooling/cluster/main.ts', 'deploy'], {
    // Its image is there. Without looking at nodes it would be built once more.
    env: { ...env, KUBECONFIG, RELEASE: ADMIN, IMAGE_BUILDER: 'none', VALUES: `${env.VALUES},${values}` },
    timeout: DEPLOYED_WITHIN_MS,
  })
  const { stdout, stderr } = await deploy.catch(async (error: { readonly stderr?: string }) => {
    const pods = await kubectl(
      'get',
      'pods,pvc',
      '--selector',
      `app.kubernetes.io/instance in (${ADMIN},${ADMIN}-monitoring)`,
    )
    throw new Error(`make deploy ended, or took ${DEPLOYED_WITHIN_MS / 1000} s:\n${error.stderr}\n${pods}`, {
      cause: error,
    })
  })
  expect(stdout).toContain(`Hopwhistle is up in namespace ${namespace}`)
  expect(stderr).toContain('You may not make a ClusterRole')
  const health = `/api/v1/namespaces/${namespace}/services/${ADMIN}-api:http/proxy${ROUTES.health}`
  expect(await first.cluster.ask('GET', health)).toMatchObject({ status: 200 })
}, 600_000)

/** @returns undefined where the user of this test may not give that right */
async function tokenOfAdmin(): Promise<string | undefined> {
  await kubectl('create', 'serviceaccount', ADMIN)
  const bind = ['create', 'rolebinding', ADMIN, '--clusterrole', 'admin', `--serviceaccount=${namespace}:${ADMIN}`]
  if ((await tryTo('kubectl', ['--namespace', namespace, ...bind])) === undefined) return undefined
  return (await kubectl('create', 'token', ADMIN, '--duration', '1h')).trim()
}

async function makeUrls({ cluster, release }: Platform): Promise<void> {
  const { data } = await cluster.core.readNamespacedSecret({ namespace, name: `${release}-credentials` })
  const password = (key: string) => Buffer.from(data![key]!, 'base64').toString()
  const url = (user: string, key: string, host: string) =>
    `postgres://${user}:${password(key)}@${release}-${host}:5432/hopwhistle`
  const stringData = {
    'writer-url': url('hopwhistle_api', 'api-password', 'postgres'),
    'reader-url': url('hopwhistle_api', 'api-password', 'postgres-replica'),
    'migration-url': url('postgres', 'owner-password', 'postgres'),
  }
  await cluster.core.createNamespacedSecret({ namespace, body: { metadata: { name: SECRET }, stringData } })
  const from = [{ podSelector: { matchLabels: { 'app.kubernetes.io/instance': ADMIN } } }]
  const postgres = { key: 'app.kubernetes.io/component', operator: 'In', values: ['postgres', 'postgres-replica'] }
  const body = {
    metadata: { name: `let-in-${ADMIN}` },
    spec: { podSelector: { matchExpressions: [postgres] }, ingress: [{ _from: from }] },
  }
  await cluster.networking.createNamespacedNetworkPolicy({ namespace, body })
}

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
