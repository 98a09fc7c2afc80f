import { expect, test } from 'vitest'
import { readCadvisor } from '../../bench/cluster/cadvisor.ts'

const POD = '/kubepods/burstable/pod4b8d'
const labels = (id: string, more: string) => `{container="",id="${id}",image="",name="",${more}}`
const ofPod = 'namespace="load",pod="calls-1-x"'

/** As a kubelet of 1.34 writes it; containers have no labels where the runtime does not give them. */
const TEXT = `# HELP container_cpu_usage_seconds_total Cumulative cpu time consumed in seconds.
# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{container="",cpu="total",id="/",image="",name="",namespace="",pod=""} 3241.5 1795575573410
container_cpu_usage_seconds_total{container="",cpu="total",id="${POD}",image="",name="",${ofPod}} 12.5 1795575570000
container_memory_working_set_bytes${labels(POD, ofPod)} 1.5e+08 1795575570000
container_cpu_cfs_periods_total${labels(POD, ofPod)} 200 1795575570000
container_cpu_cfs_throttled_periods_total${labels(POD, ofPod)} 3 1795575570000
container_cpu_cfs_periods_total${labels(`${POD}/9ad1`, 'namespace="",pod=""')} 190 1795575571000
container_cpu_cfs_throttled_periods_total${labels(`${POD}/9ad1`, 'namespace="",pod=""')} 80 1795575571000
container_cpu_cfs_periods_total${labels('/kubepods/burstable/pod4b8d99', 'namespace="",pod=""')} 7 1795575571000
machine_cpu_cores{boot_id="b",machine_id="m",system_uuid="u"} 2
`

test('a pod is read with the cgroups of its containers, named or not, and the node as a whole', () => {
  const { node, pods } = readCadvisor(TEXT)
  expect(node).toEqual({ cores: 2, cpuSeconds: 3241.5, at: 1795575573410 })
  expect(pods).toEqual([
    {
      namespace: 'load',
      pod: 'calls-1-x',
      at: 1795575570000,
      cpuSeconds: 12.5,
      memoryBytes: 150_000_000,
      periods: new Map([
        [POD, { all: 200, throttled: 3, at: 1795575570000 }],
        [`${POD}/9ad1`, { all: 190, throttled: 80, at: 1795575571000 }],
      ]),
    },
  ])
})

test('nothing at all is a node of which nothing is known', () => {
  expect(readCadvisor('')).toEqual({ node: { cores: 0, cpuSeconds: 0, at: 0 }, pods: [] })
})
