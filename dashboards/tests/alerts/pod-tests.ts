/** Tests the pod queries of the board Limits with generated series, in promtool's notation. */
import { stringify } from 'yaml'
import * as pods from '../../src/queries/pods.ts'
import type { Query } from '../../src/queries/query.ts'
import type { Series } from './alert-case.ts'

const IN = 'namespace="prod"'
const api = 'pod="hw-api-1"'
const redis = 'pod="hw-redis-0"'

const limits = (pod: string, container: string): readonly Series[] => [
  [`kube_pod_container_resource_limits{${IN}, ${pod}, container="${container}", resource="cpu"}`, '2x20'],
  [`kube_pod_container_resource_limits{${IN}, ${pod}, container="${container}", resource="memory"}`, '1000x20'],
]
const uses = (labels: string, cores: number, bytes: number, throttled: number): readonly Series[] => [
  [`container_cpu_usage_seconds_total{${IN}, ${labels}}`, `0+${60 * cores}x20`],
  [`container_memory_working_set_bytes{${IN}, ${labels}}`, `${bytes}x20`],
  [`container_cpu_cfs_throttled_periods_total{${IN}, ${labels}}`, `0+${600 * throttled}x20`],
  [`container_cpu_cfs_periods_total{${IN}, ${labels}}`, '0+600x20'],
]
const hpa = `${IN}, horizontalpodautoscaler="hw-api"`

/** The runtime of the first pod names the container and the pod; that of the second names no container. */
const SERIES: readonly Series[] = [
  ...limits(api, 'api'),
  ...uses(`${api}, container="api"`, 1, 500, 0.25),
  ...uses(`${api}, container=""`, 1.5, 600, 0.5),
  ...limits(redis, 'redis'),
  ...uses(redis, 0.5, 250, 0.1),
  [`kube_pod_container_status_restarts_total{${IN}, ${api}, container="api"}`, '0x9 1x11'],
  [`kube_horizontalpodautoscaler_status_current_replicas{${hpa}}`, '3x20'],
  [`kube_horizontalpodautoscaler_spec_max_replicas{${hpa}}`, '5x20'],
  // Of another program.
  ...uses('pod="other-1", container="other"', 4, 4_000, 1),
]

const rows = (ofApi: number, ofRedis: number): Readonly<Record<string, number>> => ({
  '{pod="hw-api-1", container="api"}': ofApi,
  '{pod="hw-redis-0", container="all"}': ofRedis,
})

const EXPECTED: readonly (readonly [Query, Readonly<Record<string, number>>])[] = [
  [pods.cpu, rows(0.5, 0.25)],
  [pods.memory, rows(0.5, 0.25)],
  [pods.throttled, rows(0.25, 0.1)],
  [pods.cpuTable, rows(1, 0.5)],
  [pods.cpuLimitTable, rows(2, 2)],
  [pods.memoryTable, rows(500, 250)],
  [pods.memoryLimitTable, rows(1000, 1000)],
  [pods.restarts, { '{pod="hw-api-1", container="api"}': 1 }],
  [pods.replicas, { '{}': 3 }],
  [pods.mostReplicas, { '{}': 5 }],
]

const filledIn = (expr: string): string =>
  expr.replaceAll('$__rate_interval', '5m').replaceAll('$namespace', 'prod').replaceAll('$release', 'hw')

export const podTests = (): string =>
  stringify(
    {
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: SERIES.map(([series, values]) => ({ series, values })),
          promql_expr_test: EXPECTED.map(([{ expr }, samples]) => ({
            // An increase is extrapolated to the ends of its window.
            expr: `round(${filledIn(expr)}, 0.05)`,
            eval_time: '15m',
            exp_samples: Object.entries(samples).map(([labels, value]) => ({ labels, value })),
          })),
        },
      ],
    },
    { lineWidth: 0 },
  )
