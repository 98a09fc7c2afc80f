import { expect, test } from 'vitest'
import { parsePodFiles } from '../../bench/cluster/pod-files.ts'

const NODE = [
  '== /proc/stat',
  'cpu  1000 200 300 9000 50 10 20 30 5 0',
  'cpu0 500 100 150 4500 25 5 10 15 5 0',
  'cpu1 500 100 150 4500 25 5 10 15 0 0',
  'intr 12345',
  '== /proc/uptime',
  '52.25 90.00',
]
const POD = { at: 52_250, cpuSeconds: 4.5, memoryBytes: 150_000_000 }

test.each([
  [
    'version 2',
    [
      ...[
        '== /sys/fs/cgroup/cpu.stat',
        'usage_usec 4500000',
        'user_usec 4000000',
        'nr_periods 400',
        'nr_throttled 100',
      ],
      ...['== /sys/fs/cgroup/memory.current', '150000000', '== /sys/fs/cgroup/cpu/cpu.stat'],
    ],
  ],
  [
    'version 1',
    [
      ...['== /sys/fs/cgroup/cpu.stat', '== /sys/fs/cgroup/memory.current'],
      ...['== /sys/fs/cgroup/cpu/cpu.stat', 'nr_periods 400', 'nr_throttled 100', 'throttled_time 9'],
      ...['== /sys/fs/cgroup/cpuacct/cpuacct.usage', '4500000000'],
      ...['== /sys/fs/cgroup/memory/memory.usage_in_bytes', '150000000'],
    ],
  ],
])('a runner and its node, as control groups of %s tell', (_, files) => {
  const { node, pod } = parsePodFiles([...NODE, ...files, ''].join('\n'))
  expect(node).toEqual({ at: 52_250, cores: 2, cpuSeconds: 15.6 })
  expect(pod).toMatchObject(POD)
  expect(pod.periods.get('k6')).toMatchObject({ all: 400, throttled: 100 })
})

test('a pod without such files is not taken for one that is idle', () => {
  expect(() => parsePodFiles([...NODE, '== /sys/fs/cgroup/cpu.stat', ''].join('\n'))).toThrow('are not there')
  expect(() => parsePodFiles('')).toThrow('are not there')
})
