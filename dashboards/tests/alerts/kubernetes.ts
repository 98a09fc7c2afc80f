import { type AlertCase, type Series, stays } from './alert-case.ts'

const POD = { namespace: 'prod', pod: 'hopwhistle-api-1', container: 'api' } as const
const pod = 'namespace="prod", pod="hopwhistle-api-1", container="api"'
const wholePod = 'namespace="prod", pod="hopwhistle-api-1"'
const job = 'namespace="prod", job_name="nightly-1"'
/** A namespace with an API. The same problem in another namespace must not fire. */
const here: readonly Series[] = [
  stays('hopwhistle_limit', 'resource="websockets"', 1_000),
  ...['api', 'postgres', 'redis'].map((job) => stays('up', `job="hopwhistle-${job}"`, 1)),
]
const owner: Series = [`kube_job_owner{${job}, owner_kind="TestRun", owner_name="nightly"}`, '1x200']
const schedule: Series = [`kube_job_owner{${job}, owner_kind="CronJob", owner_name="load-load-test"}`, '1x200']
const otherJob = 'namespace="prod", job_name="backup-1"'
/** As kube-state-metrics says it: a series for each reason that it knows, and one without for all others. */
const failedBecause = (reasons: Readonly<Record<string, number>>): readonly Series[] =>
  Object.entries(reasons).map(([reason, is]) => [`kube_job_status_failed{${job}, reason="${reason}"}`, `${is}x60`])
const hpa = 'namespace="prod", horizontalpodautoscaler="hopwhistle-api"'

const periods = (throttled: number, of = pod): readonly Series[] => [
  [`container_cpu_cfs_throttled_periods_total{${of}}`, `0+${throttled}x60`],
  [`container_cpu_cfs_periods_total{${of}}`, '0+600x60'],
]
/** Of two containers, together 2,000 bytes. */
const limits: readonly Series[] = ['api', 'proxy'].map((name) => [
  `kube_pod_container_resource_limits{${wholePod}, container="${name}", resource="memory"}`,
  '1000x60',
])
const memory = (bytes: number): readonly Series[] => [
  [`container_memory_working_set_bytes{${pod}}`, `${bytes}x60`],
  [`kube_pod_container_resource_limits{${pod}, resource="memory"}`, '1000x60'],
]
const replicas = (current: number, min = 2, of = hpa): readonly Series[] => [
  [`kube_horizontalpodautoscaler_status_current_replicas{${of}}`, `${current}x60`],
  [`kube_horizontalpodautoscaler_spec_min_replicas{${of}}`, `${min}x60`],
  [`kube_horizontalpodautoscaler_spec_max_replicas{${of}}`, '5x60'],
]

export const kubernetesCases: readonly AlertCase[] = [
  {
    alert: 'CpuThrottled',
    fires: [...here, ...periods(240)],
    isQuiet: [...here, ...periods(120)],
    afterMinutes: 20,
    labels: { ...POD, severity: 'ticket' },
    says: 'api in prod/hopwhistle-api-1 is throttled 40% of the time',
  },
  {
    alert: 'CpuThrottled',
    fires: [...here, ...periods(600)],
    // A pod of another program.
    isQuiet: periods(600),
    afterMinutes: 20,
    labels: { ...POD, severity: 'ticket' },
    says: 'api in prod/hopwhistle-api-1 is throttled 100% of the time',
  },
  {
    alert: 'CpuThrottled',
    // A runtime without container names: the pod as a whole is used.
    fires: [...here, ...periods(240, wholePod)],
    // A runtime with container names also has a series for the pod.
    isQuiet: [...here, ...periods(120), ...periods(240, wholePod)],
    afterMinutes: 20,
    labels: { ...POD, container: 'all', severity: 'ticket' },
    says: 'all in prod/hopwhistle-api-1 is throttled 40% of the time',
  },
  {
    alert: 'MemoryNearLimit',
    fires: [...here, [`container_memory_working_set_bytes{${wholePod}}`, '1950x60'], ...limits],
    isQuiet: [...here, [`container_memory_working_set_bytes{${wholePod}}`, '1850x60'], ...limits],
    afterMinutes: 10,
    labels: { ...POD, container: 'all', severity: 'page' },
    says: 'all in prod/hopwhistle-api-1 uses 97.5% of its memory limit',
  },
  {
    alert: 'MemoryNearLimit',
    fires: [...here, ...memory(970)],
    isQuiet: [...here, ...memory(940)],
    afterMinutes: 10,
    labels: { ...POD, severity: 'page' },
    says: 'api in prod/hopwhistle-api-1 uses 97% of its memory limit',
  },
  {
    alert: 'HpaAtMaximum',
    fires: [...here, ...replicas(5)],
    // The other autoscaler has a minimum equal to its maximum, on purpose.
    isQuiet: [...here, ...replicas(4), ...replicas(5, 5, hpa.replace('hopwhistle-api', 'pinned'))],
    afterMinutes: 20,
    labels: { namespace: 'prod', horizontalpodautoscaler: 'hopwhistle-api', severity: 'ticket' },
    says: 'prod/hopwhistle-api runs its maximum number of replicas',
  },
  {
    alert: 'LoadTestFailed',
    fires: [[`kube_job_status_failed{${job}}`, '1x60'], owner],
    // A failed job that is not a load test.
    isQuiet: [[`kube_job_status_failed{${job}}`, '1x60']],
    afterMinutes: 5,
    labels: { namespace: 'prod', job_name: 'nightly-1', severity: 'ticket' },
    says: 'The load test job prod/nightly-1 failed',
  },
  {
    alert: 'LoadTestMissed',
    fires: [...failedBecause({ '': 1, BackoffLimitExceeded: 0 }), schedule],
    // An invalid run, and a Job of another schedule.
    isQuiet: [
      ...failedBecause({ BackoffLimitExceeded: 1 }),
      schedule,
      [`kube_job_status_failed{${otherJob}, reason=""}`, '1x60'],
      [`kube_job_owner{${otherJob}, owner_kind="CronJob", owner_name="backup"}`, '1x200'],
    ],
    afterMinutes: 5,
    labels: { namespace: 'prod', job_name: 'nightly-1', severity: 'ticket' },
    says: 'The scheduled load test prod/nightly-1 missed a target',
  },
  {
    alert: 'LoadTestInvalid',
    fires: [...failedBecause({ BackoffLimitExceeded: 1, DeadlineExceeded: 0 }), schedule],
    isQuiet: [...failedBecause({ '': 1, BackoffLimitExceeded: 0 }), schedule],
    afterMinutes: 5,
    labels: { namespace: 'prod', job_name: 'nightly-1', severity: 'ticket' },
    says: 'The scheduled load test prod/nightly-1 has no valid result',
  },
  {
    alert: 'LoadTestHangs',
    // promtool's time begins at 0.
    fires: [[`kube_job_status_start_time{${job}}`, '0x200'], [`kube_job_status_active{${job}}`, '1x200'], owner],
    isQuiet: [[`kube_job_status_start_time{${job}}`, '0x200'], [`kube_job_status_active{${job}}`, '0x200'], owner],
    afterMinutes: 90,
    labels: { namespace: 'prod', job_name: 'nightly-1', severity: 'ticket' },
    says: 'The load test job prod/nightly-1 has run for 1h 30m 0s',
  },
]
