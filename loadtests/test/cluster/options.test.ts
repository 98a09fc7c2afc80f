import { versionOfImage } from '@hopwhistle/platform/checkout/pinned-images.ts'
import { quantity } from '@hopwhistle/platform/kubernetes/quantity.ts'
import { expect, test } from 'vitest'
import { runSeconds } from '../../bench/cluster/time-limits.ts'
import { runnerResources } from '../../bench/commands/cluster-options.ts'

test('amounts are read as Kubernetes writes them', () => {
  expect(['500m', '2', '1.5', '64Mi', '1Gi', '1e3', '129M'].map(quantity)).toEqual([
    0.5, 2, 1.5, 67_108_864, 1_073_741_824, 1_000, 129_000_000,
  ])
  expect(['', 'much', '3 cores', '5Xi'].map(quantity)).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN])
})

test('a limit below what is usually requested lowers the request, and a request above the limit is refused', () => {
  expect(runnerResources(undefined, undefined)).toEqual({
    requests: { cpu: '250m', memory: '512Mi' },
    limits: { cpu: '2', memory: '2Gi' },
  })
  expect(runnerResources('cpu=100m,memory=64Mi', undefined)).toEqual({
    requests: { cpu: '100m', memory: '64Mi' },
    limits: { cpu: '100m', memory: '64Mi' },
  })
  expect(() => runnerResources('cpu=1', 'cpu=2')).toThrow('--runner-requests asks for cpu 2, above the limit of 1')
  expect(() => runnerResources('disk=1', undefined)).toThrow('--runner-limits is "disk=1"; it may be cpu=2,memory=1Gi')
})

test('a run may take as long as its phases, and some more for what is still open', () => {
  expect(runSeconds('call-state-updates', 'full', 1, {})).toBe(360 + 75)
  expect(runSeconds('call-state-updates', 'smoke', 1, { RAMP_SECONDS: '1', PEAK_SECONDS: '1' })).toBe(77)
  // And for waiting until the last of several runners was started.
  expect(runSeconds('redis-pubsub', 'quick', 4, {})).toBe(2 * 31 + 100 + 75)
})

test('an image tells its version, unless it has only a digest', () => {
  expect(['grafana/k6:1.8.1', 'mirror:5000/k6:v2.2.0@sha256:ab', 'grafana/k6'].map(versionOfImage)).toEqual([
    '1.8.1',
    '2.2.0',
    'of unknown version',
  ])
})
