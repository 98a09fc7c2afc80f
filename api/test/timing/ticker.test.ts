import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { untilBeatMs } from '../../src/timing/beat.ts'
import { createTicker } from '../../src/timing/ticker.ts'
import { withinMs } from '../../src/timing/within-ms.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a ticker ticks while there is something to do, then leaves no timer behind until it is woken', () => {
  let left = 3
  let ticks = 0
  const ticker = createTicker(100, () => {
    ticks += 1
    left -= 1
    return left > 0
  })
  expect(vi.getTimerCount()).toBe(0)
  ticker.wake()
  ticker.wake()
  vi.advanceTimersByTime(99)
  expect(ticks).toBe(0)
  vi.advanceTimersByTime(1_000)
  expect([ticks, vi.getTimerCount()]).toEqual([3, 0])

  left = 1
  ticker.wake()
  vi.advanceTimersByTime(1_000)
  expect(ticks).toBe(4)
  left = 1
  ticker.wake()
  ticker.stop()
  ticker.wake()
  vi.advanceTimersByTime(1_000)
  expect([ticks, vi.getTimerCount()]).toEqual([4, 0])
})

test('everyone waits for the same beat, also who comes a moment before it', () => {
  for (let nowMs = 0; nowMs < 5_000; nowMs += 7.3) {
    const waitMs = untilBeatMs(nowMs)
    expect(waitMs).toBeGreaterThanOrEqual(500)
    expect(waitMs).toBeLessThanOrEqual(1_500)
    const afterBeatMs = (nowMs + waitMs + 1) % 1_000
    expect(afterBeatMs).toBeLessThan(2.001)
  }
})

test('what does not answer in time, or fails, is late', async () => {
  const never = withinMs(new Promise(() => {}), 50)
  await vi.advanceTimersByTimeAsync(50)
  expect(await never).toBe('late')
  expect(await withinMs(Promise.reject(new Error('refused')), 50)).toBe('late')
  expect(await withinMs(Promise.resolve('answer'), 50)).toBe('answer')
  await vi.advanceTimersByTimeAsync(0)
  expect(vi.getTimerCount()).toBe(0)
})
