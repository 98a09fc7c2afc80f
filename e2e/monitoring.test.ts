import { ApiException } from '@kubernetes/client-node'
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
  await areAnswered((metrics) => metrics.every((name) => /^(container_|hopwhistle_limit$)/.test(name)))
})

test('what they ask of kube-state-metrics has an answer, and an autoscaler at its maximum is told', async ({
  skip,
}) => {
  const { release, cluster, namespace } = hopwhistle
  const name = `${release}-monitoring-state-metrics`
  const isThere = await cluster.apps.readNamespacedStatefulSet({ namespace, name }).catch(unlessMissing)
  if (isThere === undefined) skip('kube-state-metrics is not deployed')
  const [victim] = await hopwhistle.pods('api')
  await hopwhistle.crash(victim!)
  await hopwhistle.set({
    'api.autoscaling.enabled': true,
    'api.autoscaling.min': 1,
    'api.autoscaling.max': 2,
    'api.autoscaling.cpuPercent': 100,
  })
  const traffic = await hopwhistle.traffic.start({ ratePerSecond: 200 })
  // Load tests need k6-operator besides.
  await areAnswered((metrics) => metrics.some((name) => /^kube_(?!job_)/.test(name)))
  await prometheus.firing(['HpaAtMaximum'])
  await traffic.end()
  await hopwhistle.set({ 'api.autoscaling.enabled': false })
  await hopwhistle.apiHas(2)
})

/** Every query that reads such metrics and is needed in Kubernetes alone. */
async function areAnswered(reads: (metrics: readonly string[]) => boolean): Promise<void> {
  const { namespace, release } = hopwhistle
  const asked = [
    ...BOARDS.flatMap(({ rows }) => rows.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries))).filter(
      ({ needs }) => needs === 'kubernetes',
    ),
    ...alertGroups(PRODUCTION)
      .flatMap(({ alerts }) => alerts)
      .filter(({ needs }) => needs === 'kubernetes')
      .flatMap(({ when }) => when.flat()),
  ]
  const exprs = asked
    .map((one) => ('expr' in one ? one.expr : one.query))
    .filter((expr) => reads([...metricsIn(expr)]))
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
}

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof ApiException && error.code === 404)) throw error
}
