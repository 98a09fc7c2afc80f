import { beforeAll, expect, test } from 'vitest'
import { alertGroups } from '../dashboards/src/alerts/alert-groups.ts'
import { BOARDS } from '../dashboards/src/boards/boards.ts'
import { metricsIn } from '../dashboards/src/lint/metrics-in.ts'
import { PRODUCTION } from '../dashboards/src/scale.ts'
import { type Platform, platform } from './support/platform.ts'
import { type Prometheus, prometheusOf } from './support/prometheus.ts'

let hopwhistle: Platform
let prometheus: Prometheus
beforeAll(async () => {
  hopwhistle = await platform()
  prometheus = prometheusOf(hopwhistle)
})

test('Prometheus sees every pod of the API, both Postgres and Redis, and counts what the API took', async () => {
  const { query } = prometheus
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

test('what boards and alerts ask of kubelets has an answer', async () => {
  const { namespace, release } = hopwhistle
  const asked = [
    ...BOARDS.flatMap(({ rows }) => rows.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries))),
    ...alertGroups(PRODUCTION).flatMap(({ alerts }) => alerts.flatMap(({ when }) => when.flat())),
  ]
  const exprs = asked
    .map((one) => ('expr' in one ? one.expr : one.query))
    .filter((expr) => [...metricsIn(expr)].every((name) => /^(container_|hopwhistle_limit$)/.test(name)))
    .filter((expr) => expr.includes('container_'))
    // A kubelet looks every 10 to 15 s.
    .map((expr) => expr.replaceAll('$__rate_interval', '1m').replaceAll('$namespace', namespace))
    .map((expr) => expr.replaceAll('$release', release))
  expect(exprs.length).toBeGreaterThan(3)
  for (const expr of exprs) {
    await hopwhistle.wait(
      `an answer to ${expr}`,
      async () => Object.keys(await prometheus.query(expr, 'pod')).length > 0,
    )
  }
})
