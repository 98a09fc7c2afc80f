/** CPU and memory of the pods against their limits: only where cAdvisor and kube-state-metrics are scraped. */
import { aggregate, rate, select } from '../promql.ts'
import { limitsOf, ofContainers, throttled as throttledOf } from './containers.ts'
import { kubernetesQuery, now } from './query.ts'

/** Those two know no release, so pods are selected by name, which begins with the release. */
const pods = { namespace: '=~$namespace', pod: '=~($release)-.*' }
const BY = ['pod']

const limit = (resource: string) => select('kube_pod_container_resource_limits', { ...pods, resource })
const cpuUsed = ofContainers('sum', (of) => rate('container_cpu_usage_seconds_total', of), BY, pods)
const memoryUsed = ofContainers('max', (of) => select('container_memory_working_set_bytes', of), BY, pods)
const cpuLimit = limitsOf(limit('cpu'), BY)
const memoryLimit = limitsOf(limit('memory'), BY)

/** A table shows a pod’s total limit only where it shows its total use. */
const ofUsed = (limits: string, used: string) => `${limits} and on (pod, container) ${used}`

export const cpu = kubernetesQuery('{{pod}} {{container}}', `${cpuUsed} / on (pod, container) ${cpuLimit}`)
export const memory = kubernetesQuery('{{pod}} {{container}}', `${memoryUsed} / on (pod, container) ${memoryLimit}`)
export const throttled = kubernetesQuery('{{pod}} {{container}}', throttledOf(rate, BY, pods))
export const cpuTable = now(kubernetesQuery('CPU used', cpuUsed))
export const cpuLimitTable = now(kubernetesQuery('CPU limit', ofUsed(cpuLimit, cpuUsed)))
export const memoryTable = now(kubernetesQuery('memory used', memoryUsed))
export const memoryLimitTable = now(kubernetesQuery('memory limit', ofUsed(memoryLimit, memoryUsed)))
export const restarts = kubernetesQuery(
  '{{pod}} {{container}}',
  `sum by (pod, container) (increase(${select('kube_pod_container_status_restarts_total', pods)}[1h])) > 0`,
)

const hpa = { namespace: '=~$namespace', horizontalpodautoscaler: '=~($release).*' }
export const replicas = kubernetesQuery(
  'running',
  aggregate('max', select('kube_horizontalpodautoscaler_status_current_replicas', hpa)),
)
export const mostReplicas = kubernetesQuery(
  'maximum',
  aggregate('max', select('kube_horizontalpodautoscaler_spec_max_replicas', hpa)),
)
