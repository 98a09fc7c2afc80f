import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { BatchQueueSettings } from '../../src/calls/batch-queue.ts'
import { createBatchQueue } from '../../src/calls/batch-queue.ts'

/** Until what was pushed in this turn of the event loop has left, if it does. */
async function settled() {
  await turn()
  await turn()
}

/** A queue whose writes end when the test says so. */
function queueUnderTest(settings: Partial<BatchQueueSettings> = {}) {
  const writes: { batch: readonly number[]; end: () => void }[] = []
  const queue = createBatchQueue<number>(
    { max: 1_000, batchMax: 10, waitMs: 1_000, inFlightMax: 2, ...settings },
    (batch) => new Promise<void>((end) => writes.push({ batch, end })),
  )
  return { queue, writes, batches: () => writes.map(({ batch }) => batch) }
}

test('an idle queue writes at once what came in the same turn', async () => {
  const { queue, batches } = queueUnderTest()
  for (const item of [1, 2, 3]) queue.push(item)
  await settled()
  expect(batches()).toEqual([[1, 2, 3]])
})

test('what comes during a write leaves together when it ends', async () => {
  const { queue, writes, batches } = queueUnderTest()
  queue.push(1)
  await settled()
  for (const item of [2, 3]) {
    queue.push(item)
    await turn()
  }
  expect(batches()).toEqual([[1]])
  writes[0]?.end()
  await settled()
  expect(batches()).toEqual([[1], [2, 3]])
})

test('what has waited long enough leaves beside a write that takes longer, but no more than so many at a time', async () => {
  const { queue, batches } = queueUnderTest({ waitMs: 5 })
  queue.push(1)
  await settled()
  queue.push(2)
  await sleep(60)
  expect(batches()).toEqual([[1], [2]])
  queue.push(3)
  await sleep(60)
  expect(batches()).toEqual([[1], [2]])
})

test('a full batch leaves without waiting, and no batch is larger', async () => {
  const { queue, batches } = queueUnderTest({ inFlightMax: 5 })
  queue.push(0)
  await settled()
  for (let item = 1; item <= 25; item++) queue.push(item)
  await settled()
  expect(batches().map((batch) => batch.length)).toEqual([1, 10, 10])
  expect(batches().flat()).toEqual(Array.from({ length: 21 }, (_, i) => i))
})

test('it takes no more than `max`, counting what is being written', async () => {
  const { queue, writes } = queueUnderTest({ max: 3 })
  expect([1, 2, 3, 4].map((item) => queue.push(item))).toEqual([true, true, true, false])
  await settled()
  expect(queue.push(5)).toBe(false)
  expect(queue.size()).toBe(3)
  writes[0]?.end()
  await settled()
  expect(queue.push(6)).toBe(true)
})

/** Items that come every `everyMs`, each without waiting for the one before it. @returns the sizes of the batches */
async function comeEvery(everyMs: number, count: number, settings: Partial<BatchQueueSettings>) {
  const sizes: number[] = []
  const queue = createBatchQueue<number>(
    { max: 1_000, batchMax: 100, waitMs: 50, inFlightMax: 4, ...settings },
    async (batch) => void sizes.push(batch.length),
  )
  for (let item = 0; item < count; item++) {
    queue.push(item)
    await sleep(everyMs)
  }
  await queue.drain()
  return sizes
}

test('items that keep coming are written several at a time', async () => {
  const sizes = await comeEvery(10, 120, { waitMs: 50 })
  expect(sizes.slice(0, 60)).toEqual(Array(60).fill(1))
  // All that follow were gathered, however late this machine's timers are.
  expect(sizes.slice(60).reduce((sum, size) => sum + size, 0)).toBe(60)
  expect(sizes.slice(60).length).toBeLessThan(30)
})

test('enough items leave together without waiting longer', async () => {
  const sizes = await comeEvery(3, 100, { waitMs: 600_000 })
  expect(Math.max(...sizes)).toBe(8)
})

test('one sender that waits for each answer is hardly ever kept waiting', async () => {
  let began = performance.now()
  let waits = 0
  let answered = () => {}
  const queue = createBatchQueue<number>({ max: 10, batchMax: 10, waitMs: 50, inFlightMax: 4 }, async () => {
    if (performance.now() - began > 45) waits += 1
    answered()
  })
  for (let item = 0; item < 400; item++) {
    const answer = new Promise<void>((resolve) => {
      answered = resolve
    })
    began = performance.now()
    queue.push(item)
    await answer
  }
  // After 60 batches, and then after 60 more each time.
  expect(waits).toBeGreaterThan(0)
  expect(waits).toBeLessThan(10)
})

test('draining writes what is left and then takes nothing more', async () => {
  const { queue, writes, batches } = queueUnderTest({ inFlightMax: 1 })
  for (let item = 0; item < 12; item++) queue.push(item)
  let closed = false
  const drained = queue.drain().then(() => {
    closed = true
  })
  expect(queue.push(99)).toBe(false)
  writes[0]?.end()
  await settled()
  expect(closed).toBe(false)
  writes[1]?.end()
  await drained
  expect(batches().flat()).toHaveLength(12)
})

test('draining a queue that has nothing is done at once', async () => {
  await queueUnderTest().queue.drain()
})
