import { Counter, Histogram, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { labelOf, parsePrometheus, splitEdge } from '../../lib/prometheus-text.ts'

test('what prom-client writes is read back, labels and all', async () => {
  const registry = new Registry()
  const requests = new Counter({ name: 'requests_total', help: 'n', labelNames: ['route'], registers: [registry] })
  requests.inc({ route: '/a b{c}="d"' }, 3)
  const duration = new Histogram({ name: 'duration_seconds', help: 's', buckets: [0.1, 1], registers: [registry] })
  duration.observe(0.05)
  duration.observe(5)
  const { types, samples } = parsePrometheus(await registry.metrics())
  expect(types.get('requests_total')).toBe('counter')
  expect(types.get('duration_seconds')).toBe('histogram')
  const counter = samples.find(({ name }) => name === 'requests_total')
  expect(counter?.value).toBe(3)
  expect(labelOf(counter?.labels ?? '', 'route')).toBe('/a b{c}=\\"d\\"')
  const buckets = samples.filter(({ name }) => name === 'duration_seconds_bucket')
  expect(buckets.map(({ labels, value }) => [splitEdge(labels)?.edge, value])).toEqual([
    [0.1, 1],
    [1, 1],
    [Number.POSITIVE_INFINITY, 2],
  ])
})

test('the edge is taken out of the labels wherever it stands', () => {
  expect(splitEdge('{le="0.1"}')).toEqual({ rest: '', edge: 0.1 })
  expect(splitEdge('{le="0.1",route="/x"}')).toEqual({ rest: '{route="/x"}', edge: 0.1 })
  expect(splitEdge('{route="/x",le="+Inf"}')).toEqual({ rest: '{route="/x"}', edge: Number.POSITIVE_INFINITY })
  expect(splitEdge('{a="1",le="2",b="3"}')).toEqual({ rest: '{a="1",b="3"}', edge: 2 })
  expect(splitEdge('{route="/x"}')).toBeUndefined()
})
