import { beforeAll, test } from 'vitest'
import { type Platform, platform } from './support/platform.ts'

let hopwhistle: Platform
beforeAll(async () => {
  hopwhistle = await platform()
})

/** @returns the values of a query, by the labels given */
async function query(promql: string, ...labels: readonly string[]): Promise<Readonly<Record<string, number>>> {
  const { cluster, namespace, release } = hopwhistle
  const prometheus = `/api/v1/namespaces/${namespace}/services/${release}-monitoring-prometheus:9090/proxy`
  const { status, body } = await cluster.ask('GET', `${prometheus}/api/v1/query?query=${encodeURIComponent(promql)}`)
  if (status !== 200) throw new Error(`Prometheus answered ${status}: ${body}`)
  const { data } = JSON.parse(body) as {
    data: { result: { metric: Record<string, string>; value: [number, string] }[] }
  }
  return Object.fromEntries(
    data.result.map(({ metric, value }) => [labels.map((label) => metric[label]).join(' '), Number(value[1])]),
  )
}

test('Prometheus sees every pod of the API, both Postgres and Redis, and counts what the API took', async () => {
  // A pod that the tests before have replaced is seen as down until the next look at the DNS.
  await hopwhistle.wait('every target to be seen, and none of them down', async () => {
    const down = Object.keys(await query('up == 0', 'job', 'instance'))
    if (down.length > 0) throw new Error(`down is ${down.join(', ')}`)
    const up = await query('sum by (job) (up)', 'job')
    return up['hopwhistle-api'] === 2 && up['hopwhistle-postgres'] === 2 && up['hopwhistle-redis'] === 1
  })
  const taken = async () => (await query('sum(hopwhistle_ingest_events_total)'))[''] ?? 0
  const before = await taken()
  const traffic = await hopwhistle.traffic.start()
  const { acknowledged } = await traffic.end()
  await hopwhistle.wait('Prometheus to know of them', async () => (await taken()) >= before + acknowledged.length)
})
