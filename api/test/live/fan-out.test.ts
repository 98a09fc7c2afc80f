import { MASK_ALL } from '@hopwhistle/contract/patterns.ts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createFanOut } from '../../src/live/fan-out.ts'
import type { LiveSocket } from '../../src/live/live-socket.ts'
import { decodeBody, encodeBody } from '../../src/live/messages.ts'

const TICK_MS = 40
/** What `setImmediate` takes by fake timers. */
const SOON_MS = 1
const METRICS = { liveDelivered: { inc() {} }, liveFrames: { inc() {} }, liveDelay: { observe() {} } }

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** A fan-out with one socket, and how long after the start of the tick each frame went. */
function subscribed() {
  const fanOut = createFanOut(TICK_MS, METRICS as never)
  fanOut.begin({ epoch: 'e', offset: 0 })
  const sentAfterMs: number[] = []
  let tickAtMs = 0
  let offset = 0
  const write = () => void sentAfterMs.push(performance.now() - tickAtMs)
  const socket = { isOpen: () => true, follow: () => {}, write }
  fanOut.place(socket as unknown as LiveSocket, MASK_ALL)

  /** A tick in which batches come so long after its start. @returns when frames went */
  async function tick(...comesAfterMs: readonly number[]): Promise<readonly number[]> {
    tickAtMs = performance.now()
    sentAfterMs.length = 0
    for (const afterMs of comesAfterMs) {
      setTimeout(() => {
        offset += 1
        fanOut.push(decodeBody(offset, encodeBody([message])), offset)
      }, afterMs)
    }
    await vi.advanceTimersByTimeAsync(TICK_MS)
    return [...sentAfterMs]
  }
  return { tick }
}

const message = {
  type: 'call.ringing',
  eventId: 'event',
  callId: 'call',
  sequence: 1,
  occurredAt: 1_000,
  receivedAt: 2_000,
  outcome: 'applied',
} as const

test('what one instance publishes goes when it comes', async () => {
  const { tick } = subscribed()
  await tick(1)
  expect(await tick(1)).toEqual([1 + SOON_MS])
  expect(await tick(1)).toEqual([1 + SOON_MS])
})

test('a frame goes when as many batches have come as usual', async () => {
  const { tick } = subscribed()
  await tick(1)
  // The first tick with two: the second is not known of yet.
  await tick(1, 3)
  expect(await tick(1, 3)).toEqual([3 + SOON_MS])
  expect(await tick(2, 2)).toEqual([2 + SOON_MS])
  expect(await tick(1, 4)).toEqual([4 + SOON_MS])
})

test('who does not publish any more is waited for a moment, and a few times', async () => {
  const { tick } = subscribed()
  for (let i = 0; i < 3; i++) await tick(0, 0)
  for (let i = 0; i < 9; i++) expect(await tick(1)).toEqual([5])
  for (let i = 0; i < 5; i++) await tick(1)
  expect(await tick(1)).toEqual([1 + SOON_MS])
})

test('after a quiet tick nothing is waited for', async () => {
  const { tick } = subscribed()
  for (let i = 0; i < 3; i++) await tick(0, 0)
  await tick()
  expect(await tick(1)).toEqual([1 + SOON_MS])
})

test('clocks that do not agree bring two frames a tick at most', async () => {
  const { tick } = subscribed()
  for (let i = 0; i < 30; i++) {
    const sent = await tick(1, 11, 21, 31)
    expect(sent.length).toBeLessThanOrEqual(2)
  }
})
