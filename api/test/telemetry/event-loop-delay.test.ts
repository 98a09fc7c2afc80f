import fc from 'fast-check'
import { expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { busyForMs } from '../../src/telemetry/event-loop-delay.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'

const NAME = 'nodejs_eventloop_lag_p99_seconds'

test('a loop that was held up says for how long, until the next 5 s are over', async () => {
  const { registry } = createMetrics()
  const asked = async () => Number(new RegExp(`^${NAME} (.*)$`, 'm').exec(await registry.metrics())?.[1])
  const turnOfTheLoop = () => new Promise((resolve) => setTimeout(resolve, 1))
  await turnOfTheLoop()
  const until = performance.now() + 80
  while (performance.now() < until);
  await turnOfTheLoop()
  expect(await asked()).toBeGreaterThanOrEqual(0.08)
  await waitUntil('the loop to be free again', async () => (await asked()) < 0.08, {
    timeoutMs: 18_000,
  })
})

test('no timer of prom-client measures the loop as well', async () => {
  const names = createMetrics()
    .registry.getMetricsAsArray()
    .map(({ name }) => name)
  expect(names.filter((name) => name.startsWith('nodejs_eventloop_lag'))).toEqual([NAME])
  expect(names).toContain('nodejs_heap_size_used_bytes')
})

test('at a moment chosen at random the loop is busy for longer than that in 1 % of the cases', () => {
  // A tenth of the time in turns of 100 ms, the rest in turns of 1 ms: one turn in ninety is long, and a tenth of the time.
  expect(
    busyForMs(
      new Map([
        [0, 1e6],
        [99.9, 1e6],
        [100, 100e6],
      ]),
      10_000,
      10_000,
    ),
  ).toBe(100)
  // One turn of 5 ms in a second: half a percent of the time.
  expect(
    busyForMs(
      new Map([
        [0, 5e6],
        [100, 5e6],
      ]),
      1,
      1_000,
    ),
  ).toBe(0)
  expect(busyForMs(new Map(), 0, 1_000)).toBe(0)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 200 }), (turnsMs) => {
      const sorted = turnsMs.toSorted((a, b) => a - b)
      const percentiles = new Map(sorted.map((ms, i) => [((i + 1) / sorted.length) * 100, ms * 1e6]))
      const elapsedMs = sorted.reduce((sum, ms) => sum + ms, 0) * 2
      const found = busyForMs(percentiles, sorted.length, elapsedMs)
      const timeIn = (from: number) => sorted.filter((ms) => ms >= from).reduce((sum, ms) => sum + ms, 0)
      expect(timeIn(found)).toBeGreaterThan(elapsedMs / 100)
      expect(timeIn(found + 1)).toBeLessThanOrEqual(elapsedMs / 100 + 1e-6)
    }),
  )
})
