import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { rate, select } from '../promql.ts'
import { limitsOf, ofContainers, throttled } from '../queries/containers.ts'
import { type Scale, scaled } from '../scale.ts'
import type { Alert } from './alert.ts'

/** In which a kubelet, that looks every 10 to 15 s, has looked twice. */
const KUBELET_SECONDS = 40

const POD = ['namespace', 'pod'] as const
const CONTAINER = [...POD, 'container'] as const
const container = '{{ $labels.container }} in {{ $labels.namespace }}/{{ $labels.pod }}'
const HPA = ['namespace', 'horizontalpodautoscaler'] as const
const JOB = ['namespace', 'job_name'] as const

const memoryUsed = ofContainers('max', (of) => select('container_memory_working_set_bytes', of), POD)
const memoryLimit = limitsOf(select('kube_pod_container_resource_limits', { resource: 'memory' }), POD)
/** cAdvisor and kube-state-metrics know no release: what is meant is in a namespace where an API of ours runs. */
const OURS = `and on (namespace) ${METRICS.limit}`

const ofHpa = (replicas: string) => `max by (${HPA.join(', ')}) (kube_horizontalpodautoscaler_${replicas}_replicas)`

/** A Job of k6-operator, by its owner: the name of a TestRun may be anything. */
const ofTestRun = (series: string) =>
  `max by (${JOB.join(', ')}) (${series} * on (${JOB.join(', ')}) group_left () kube_job_owner{owner_kind="TestRun"})`

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
      summary: `${container} is held back in {{ $value | humanizePercentage }} of the time`,
      meaning:
        'Its CPU limit is too low for its load: answers wait up to 100 ms each time, though the node may be idle.',
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
      meaning: 'At 100 % it is killed, with everything that it was doing.',
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
            // One that has no room by its owner's will, since its minimum is its maximum, has nothing to tell.
            query: `${ofHpa('status_current')} / (${ofHpa('spec_max')} > ${ofHpa('spec_min')}) ${OURS}`,
            is: '>=',
            value: 1,
          },
        ],
      ],
      lasting: scaled('15m', scale),
      needs: 'kubernetes',
      summary: '{{ $labels.namespace }}/{{ $labels.horizontalpodautoscaler }} runs as many replicas as it may',
      meaning: 'More load is answered more slowly from here on, and then refused.',
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
      meaning:
        'The TestRun may well end as finished: its stage tells nothing of runners that failed. It has no valid verdict.',
      runbook: 'load-test-failed',
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
        'The load test job {{ $labels.namespace }}/{{ $labels.job_name }} runs since {{ $value | humanizeDuration }}',
      meaning:
        'The longest test takes 10 minutes. A runner was lost or waits to be started; it holds CPU and ends by itself never.',
      runbook: 'load-test-hangs',
      board: 'load-test',
    },
  ]
}
