import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { about, repeat, UNTIL_ASKED } from '../../src/timing/repeat.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Work that takes `takesMs`, and wants to run again after `restMs`. */
function work(takesMs: number, restMs: number) {
  const startedAt: number[] = []
  const begin = performance.now()
  let runs = 0
  return {
    startedAt,
    run: async () => {
      startedAt.push(performance.now() - begin)
      runs += 1
      expect(runs, 'runs at a time').toBe(1)
      await new Promise((resolve) => setTimeout(resolve, takesMs))
      runs -= 1
      return restMs
    },
  }
}

test('work is repeated, each time after the pause that it asked for, and leaves no timer behind when stopped', async () => {
  const { run, startedAt } = work(10, 100)
  const repeating = repeat(run, 50)
  await vi.advanceTimersByTimeAsync(300)
  expect(startedAt).toEqual([50, 160, 270])
  await repeating.stop()
  expect(vi.getTimerCount()).toBe(0)
  await repeating.now()
  expect(startedAt).toHaveLength(3)
})

test('work that is asked for while it runs runs once more, right after, for all who asked', async () => {
  const { run, startedAt } = work(10, UNTIL_ASKED)
  const repeating = repeat(run, 0)
  await vi.advanceTimersByTimeAsync(5)
  const asked = Promise.all([repeating.now(), repeating.now(), repeating.now()])
  await vi.advanceTimersByTimeAsync(1_000)
  await asked
  expect(startedAt).toEqual([0, 10])
  expect(vi.getTimerCount()).toBe(0)
})

test('a run is brought forward, never put off', async () => {
  const { run, startedAt } = work(10, 1_000)
  const repeating = repeat(run, 1_000)
  repeating.within(20)
  repeating.within(500)
  await vi.advanceTimersByTimeAsync(25)
  expect(startedAt).toEqual([20])
  // Under way: the time counts from its end, at 30.
  repeating.within(40)
  await vi.advanceTimersByTimeAsync(200)
  expect(startedAt).toEqual([20, 70])
  await vi.advanceTimersByTimeAsync(1_000)
  expect(startedAt).toEqual([20, 70, 1_080])
})

test('who stops it waits for the run that is under way, and no other begins', async () => {
  const { run, startedAt } = work(10, 1)
  const repeating = repeat(run, 0)
  void repeating.now()
  let stopped = false
  void repeating.stop().then(() => {
    stopped = true
  })
  await vi.advanceTimersByTimeAsync(9)
  expect(stopped).toBe(false)
  await vi.advanceTimersByTimeAsync(100)
  expect([stopped, startedAt, vi.getTimerCount()]).toEqual([true, [0], 0])
})

test('a time near another is within a quarter of it', () => {
  const times = Array.from({ length: 1_000 }, () => about(100))
  expect(Math.min(...times)).toBeGreaterThanOrEqual(75)
  expect(Math.max(...times)).toBeLessThanOrEqual(125)
})
