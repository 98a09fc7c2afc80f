import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { rate, select } from '../promql.ts'
import { limitsOf, ofContainers, throttled } from '../queries/containers.ts'
import { type Scale, scaled } from '../scale.ts'
import type { Alert } from './alert.ts'

/** Long enough for two samples of a kubelet, which takes one every 10 to 15 s. */
const KUBELET_SECONDS = 40

const POD = ['namespace', 'pod'] as const
const CONTAINER = [...POD, 'container'] as const
const container = '{{ $labels.container }} in {{ $labels.namespace }}/{{ $labels.pod }}'
const HPA = ['namespace', 'horizontalpodautoscaler'] as const
const JOB = ['namespace', 'job_name'] as const

const memoryUsed = ofContainers('max', (of) => select('container_memory_working_set_bytes', of), POD)
const memoryLimit = limitsOf(select('kube_pod_container_resource_limits', { resource: 'memory' }), POD)
/** cAdvisor and kube-state-metrics know no release, so this selects the namespaces where an API runs. */
const OURS = `and on (namespace) ${METRICS.limit}`

const ofHpa = (replicas: string) => `max by (${HPA.join(', ')}) (kube_horizontalpodautoscaler_${replicas}_replicas)`

const ofOwner = (series: string, owner: string) =>
  `max by (${JOB.join(', ')}) (${series} * on (${JOB.join(', ')}) group_left () kube_job_owner{${owner}})`
/** A Job of k6-operator, by its owner: the name of a TestRun may be anything. */
const ofTestRun = (series: string) => ofOwner(series, 'owner_kind="TestRun"')
/** A Job of the schedule of the load tests' chart. */
const ofSchedule = (series: string) => ofOwner(series, 'owner_kind="CronJob", owner_name=~".+-load-test"')

export const kubernetesAlerts = (scale: Scale): readonly Alert[] => {
  const window = scaled('5m', scale, KUBELET_SECONDS)
  return [
    {
      name: 'CpuThrottled',
      severity: 'ticket',
      by: CONTAINER,
      when: [
        [
          {
            query: `${throttled((metric, of) => rate(metric, of, window), POD)} ${OURS}`,
            is: '>',
            value: 0.25,
          },
        ],
      ],
      lasting: scaled('10m', scale),
      needs: 'kubernetes',
      summary: `${container} is throttled {{ $value | humanizePercentage }} of the time`,
      meaning: 'Its CPU limit is too low for its load: each time, answers wait up to 100 ms, even if the node is idle.',
      runbook: 'cpu-throttled',
      board: 'limits',
    },
    {
      name: 'MemoryNearLimit',
      severity: 'page',
      by: CONTAINER,
      when: [
        [
          {
            query: `${memoryUsed} / on (${CONTAINER.join(', ')}) ${memoryLimit} ${OURS}`,
            is: '>',
            value: 0.95,
          },
        ],
      ],
      lasting: scaled('5m', scale),
      needs: 'kubernetes',
      summary: `${container} uses {{ $value | humanizePercentage }} of its memory limit`,
      meaning: 'At 100 % it is killed, and its work in progress is lost.',
      runbook: 'memory-near-limit',
      board: 'limits',
    },
    {
      name: 'HpaAtMaximum',
      severity: 'ticket',
      by: HPA,
      when: [
        [
          {
            // An autoscaler whose minimum is its maximum is there on purpose, and not reported.
            query: `${ofHpa('status_current')} / (${ofHpa('spec_max')} > ${ofHpa('spec_min')}) ${OURS}`,
            is: '>=',
            value: 1,
          },
        ],
      ],
      lasting: scaled('15m', scale),
      needs: 'kubernetes',
      summary: '{{ $labels.namespace }}/{{ $labels.horizontalpodautoscaler }} runs its maximum number of replicas',
      meaning: 'More load makes answers slower, and is then refused.',
      runbook: 'hpa-at-maximum',
      board: 'limits',
    },
    {
      name: 'LoadTestFailed',
      severity: 'ticket',
      by: JOB,
      when: [[{ query: ofTestRun('kube_job_status_failed'), is: '>', value: 0 }]],
      lasting: scaled('1m', scale),
      needs: 'kubernetes',
      summary: 'The load test job {{ $labels.namespace }}/{{ $labels.job_name }} failed',
      meaning: 'The TestRun may still say finished: its stage does not show failed runners. It has no valid verdict.',
      runbook: 'load-test-failed',
      board: 'load-test',
    },
    {
      name: 'LoadTestMissed',
      severity: 'ticket',
      by: JOB,
      // Its Job fails by its policy for the exit code of a missed target, a reason that kube-state-metrics leaves empty.
      when: [[{ query: ofSchedule('kube_job_status_failed{reason=""}'), is: '>', value: 0 }]],
      lasting: scaled('1m', scale),
      needs: 'kubernetes',
      summary: 'The scheduled load test {{ $labels.namespace }}/{{ $labels.job_name }} missed a target',
      meaning: 'The platform is slower than it promises under the load that it is to carry. The run itself was valid.',
      runbook: 'load-test-missed',
      board: 'load-test',
    },
    {
      name: 'LoadTestInvalid',
      severity: 'ticket',
      by: JOB,
      when: [[{ query: ofSchedule('kube_job_status_failed{reason!=""}'), is: '>', value: 0 }]],
      lasting: scaled('1m', scale),
      needs: 'kubernetes',
      summary: 'The scheduled load test {{ $labels.namespace }}/{{ $labels.job_name }} has no valid result',
      meaning: 'Nothing is known about the platform: the run was invalid, did not end in time, or could not be made.',
      runbook: 'load-test-missed',
      board: 'load-test',
    },
    {
      name: 'LoadTestHangs',
      severity: 'ticket',
      by: JOB,
      when: [
        [
          {
            query: `time() - ${ofTestRun('(kube_job_status_start_time and on (namespace, job_name) (kube_job_status_active > 0))')}`,
            is: '>',
            value: 3_600 / scale.dividedBy + scale.shortestSeconds,
          },
        ],
      ],
      lasting: scaled('1m', scale),
      needs: 'kubernetes',
      summary:
        'The load test job {{ $labels.namespace }}/{{ $labels.job_name }} has run for {{ $value | humanizeDuration }}',
      meaning:
        'The longest test takes 10 minutes. A runner was lost or waits to be started. It uses CPU and never ends by itself.',
      runbook: 'load-test-hangs',
      board: 'load-test',
    },
  ]
}
