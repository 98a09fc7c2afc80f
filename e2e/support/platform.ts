import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import { inject } from 'vitest'
import { connectToCluster } from './cluster.ts'
import { type Deployed, deployedIn } from './deployed.ts'
import { operations } from './operations.ts'
import { trafficIn } from './traffic.ts'

const PORT = 3001

export type Platform = Awaited<ReturnType<typeof platform>>

/** A deployed platform with a tenant of one's own: what its users and its operators do with it. */
export async function platform(release = inject('release')) {
  const cluster = connectToCluster()
  const namespace = inject('namespace')
  const deployed = deployedIn(cluster, namespace, release)
  const apiKey = await newTenant(deployed)
  const { spec } = await deployed.apiDeployment()
  const image = spec!.template.spec!.containers[0]!.image!
  const service = `http://${release}-api:${PORT}`
  const throughService = `/api/v1/namespaces/${namespace}/services/${release}-api:http/proxy`

  return {
    ...deployed,
    ...operations(namespace, release),
    cluster,
    namespace,
    release,
    /** Where each pod of the API can be reached from inside the cluster. */
    apiPods: async () => (await deployed.pods('api')).map(({ status }) => `http://${status!.podIP}:${PORT}`),
    /** Starts clients of the platform, at the Service and with three live subscribers if nothing else is said. */
    traffic: await trafficIn(cluster, namespace, { image, api: service, apiKey }),
    async get(path: string, headers: Readonly<Record<string, string>> = {}) {
      const { status, body } = await cluster.ask('GET', throughService + path, {
        headers: { [HEADERS.apiKey]: apiKey, ...headers },
      })
      return { status, body: JSON.parse(body) }
    },
    /** @returns the position of the write, for a report that must show it */
    async post(event: object): Promise<string> {
      const headers = { [HEADERS.apiKey]: apiKey }
      const answer = await cluster.ask('POST', throughService + ROUTES.callEvent, { headers, body: event })
      if (answer.status !== 201) throw new Error(`the event was answered with ${answer.status}: ${answer.body}`)
      return String(answer.headers[HEADERS.position])
    },
    /** Ids of the stored events that begin with a prefix. */
    stored: (prefix: string) =>
      deployed.query(`select event_id from hopwhistle.call_events where event_id like '${prefix}-%'`),
  }
}

/** @returns its key, which may do everything */
async function newTenant({ query }: Deployed): Promise<string> {
  const [id, key] = [randomUUID(), `e2e-${randomBytes(16).toString('hex')}`]
  const hash = createHash('sha256').update(key).digest('hex')
  await query(`insert into hopwhistle.tenants (id, name) values ('${id}', 'e2e');
    insert into hopwhistle.api_keys (tenant_id, name, key_hash, scopes)
    values ('${id}', 'e2e', decode('${hash}', 'hex'), '{events:write,reports:read,live:read}')`)
  return key
}
