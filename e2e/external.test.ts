import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { beforeAll, expect, test } from 'vitest'
import { type Platform, platform } from './support/platform.ts'

const BESIDE = 'beside'

let hopwhistle: Platform
beforeAll(async () => {
  hopwhistle = await platform()
})

test('a second release beside the first works on Postgres by URL, and the first does not notice', async () => {
  const { cluster, namespace, release } = hopwhistle
  const before = (await hopwhistle.pods('api')).map(({ metadata }) => metadata!.uid)
  await makeUrls()
  await letIn(BESIDE)
  await hopwhistle.deploy('e2e/values-external.yaml', BESIDE)
  const throughService = `/api/v1/namespaces/${namespace}/services/${BESIDE}-api:http/proxy`
  // A pod is ready without Redis, so its own may become ready a moment later than it, and be found later still.
  await hopwhistle.wait('the second release to have all that it depends on', async () => {
    const { status, body } = await cluster.ask('GET', `${throughService}${ROUTES.health}`)
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({
      status: 'ok',
      dependencies: { postgres: true, replica: true, redis: true },
    })
    return true
  })
  await hopwhistle.uninstall(BESIDE)
  await hopwhistle.apiHas(2)
  expect((await hopwhistle.pods('api')).map(({ metadata }) => metadata!.uid)).toEqual(before)

  /** As docs/kubernetes.md says, with the databases of the first release in the place of external ones. */
  async function makeUrls(): Promise<void> {
    const { data } = await cluster.core.readNamespacedSecret({ namespace, name: `${release}-credentials` })
    const password = (key: string) => Buffer.from(data![key]!, 'base64').toString()
    const url = (user: string, key: string, host: string) =>
      `postgres://${user}:${password(key)}@${release}-${host}:5432/hopwhistle`
    const stringData = {
      'writer-url': url('hopwhistle_api', 'api-password', 'postgres'),
      'reader-url': url('hopwhistle_api', 'api-password', 'postgres-replica'),
      'migration-url': url('postgres', 'owner-password', 'postgres'),
      'api-password': password('api-password'),
    }
    await cluster.core.createNamespacedSecret({
      namespace,
      body: { metadata: { name: 'external-postgres' }, stringData },
    })
  }
  /** Nobody else may talk to a release's Postgres, where the network enforces that. */
  async function letIn(instance: string): Promise<void> {
    const from = [{ podSelector: { matchLabels: { 'app.kubernetes.io/instance': instance } } }]
    const postgres = { key: 'app.kubernetes.io/component', operator: 'In', values: ['postgres', 'postgres-replica'] }
    const podSelector = { matchExpressions: [postgres] }
    const body = { metadata: { name: `let-in-${instance}` }, spec: { podSelector, ingress: [{ _from: from }] } }
    await cluster.networking.createNamespacedNetworkPolicy({ namespace, body })
  }
})
