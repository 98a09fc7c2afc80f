import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { BatchQueueSettings } from '../../src/calls/batch-queue.ts'
import { createBatchQueue } from '../../src/calls/batch-queue.ts'

/** Until what was pushed in this turn of the event loop has left, if it does. */
async function settled() {
  await turn()
  await turn()
}

type Item = { readonly tenantId: string; readonly item: number }

/** A queue whose writes end when the test says so. */
function queueUnderTest(settings: Partial<BatchQueueSettings> = {}) {
  const writes: { batch: readonly number[]; end: () => void }[] = []
  const queue = createBatchQueue<Item>(
    { max: 1_000, batchMax: 10, waitMs: 1_000, inFlightMax: 2, ...settings },
    (batch) => new Promise<void>((end) => writes.push({ batch: batch.map(({ item }) => item), end })),
  )
  const push = (item: number, tenantId = 'one') => queue.push({ tenantId, item })
  return { queue: { ...queue, push }, writes, batches: () => writes.map(({ batch }) => batch) }
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
  expect([1, 2, 3].map((item) => queue.push(item, `tenant ${item}`))).toEqual(['taken', 'taken', 'taken'])
  expect(queue.push(4, 'tenant 4')).toBe('full')
  await settled()
  expect(queue.push(5, 'tenant 5')).toBe('full')
  expect(queue.size()).toBe(3)
  writes[0]?.end()
  await settled()
  expect(queue.push(6, 'tenant 6')).toBe('taken')
})

/** Items that come every `everyMs`, each without waiting for the one before it. @returns the sizes of the batches */
async function comeEvery(everyMs: number, count: number, settings: Partial<BatchQueueSettings>) {
  const sizes: number[] = []
  const queue = createBatchQueue<Item>(
    { max: 1_000, batchMax: 100, waitMs: 50, inFlightMax: 4, ...settings },
    async (batch) => void sizes.push(batch.length),
  )
  for (let item = 0; item < count; item++) {
    queue.push({ tenantId: 'one', item })
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
  const queue = createBatchQueue<Item>({ max: 10, batchMax: 10, waitMs: 50, inFlightMax: 4 }, async () => {
    if (performance.now() - began > 45) waits += 1
    answered()
  })
  for (let item = 0; item < 400; item++) {
    const answer = new Promise<void>((resolve) => {
      answered = resolve
    })
    began = performance.now()
    queue.push({ tenantId: 'one', item })
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
  expect(queue.push(99)).toBe('closed')
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

test('a tenant that fills the queue is refused while there is still room for others', () => {
  const { queue } = queueUnderTest({ max: 100 })
  const flood = Array.from({ length: 200 }, (_, item) => queue.push(item, 'flood'))
  expect(flood.filter((taken) => taken === 'taken')).toHaveLength(80)
  expect(new Set(flood.slice(80))).toEqual(new Set(['over-share']))
  expect(queue.ask('flood')).toBe('over-share')
  expect(queue.push(1, 'quiet')).toBe('taken')
  // What is left is shared in the same way.
  const second = Array.from({ length: 200 }, (_, item) => queue.push(item, 'second flood'))
  expect(second.filter((taken) => taken === 'taken')).toHaveLength(16)
  expect(queue.push(2, 'quiet')).toBe('taken')
})

test('room that is kept for items counts until they come, and holds up nothing', async () => {
  const { queue } = queueUnderTest({ max: 100 })
  const kept = queue.reserve('flood', 500)
  if (typeof kept === 'string') throw new Error(kept)
  expect(queue.push(1, 'flood')).toBe('over-share')
  expect(queue.push(1, 'quiet')).toBe('taken')
  expect(queue.size()).toBe(1)
  kept.release()
  expect(queue.push(1, 'flood')).toBe('taken')
  const unused = queueUnderTest({ max: 100 }).queue
  unused.reserve('flood', 10)
  await unused.drain()
  expect(unused.reserve('flood', 10)).toBe('closed')
})

test('a few items of one tenant never wait behind the many of another, and never share a batch with them', async () => {
  const { queue, writes, batches } = queueUnderTest({ inFlightMax: 3, waitMs: 0, batchMax: 100 })
  // The first 32 are few: what follows goes with the many.
  for (let item = 0; item < 500; item++) queue.push(item, 'flood')
  await settled()
  expect(batches().map((batch) => batch.length)).toEqual([32, 100, 100])
  writes[0]?.end()
  await settled()
  // The flood has 268 more, and leaves this write to those who have few.
  expect(batches()).toHaveLength(3)
  queue.push(1_000, 'quiet')
  queue.push(1_001, 'another')
  await settled()
  expect(batches().slice(3)).toEqual([[1_000, 1_001]])
  writes[1]?.end()
  await settled()
  // While others send few, the flood has one write at a time, and a small one.
  expect(batches()).toHaveLength(4)
  writes[2]?.end()
  await settled()
  expect(batches().slice(4)).toEqual([Array.from({ length: 25 }, (_, i) => 232 + i)])
})

test('while another tenant sends a few, the many have one small write at a time, and afterwards half of all writes again', async () => {
  const { queue, writes, batches } = queueUnderTest({ inFlightMax: 4, waitMs: 0, batchMax: 50 })
  const floods = () => batches().filter(([first = 0]) => first >= 100).length
  for (let item = 100; item < 300; item++) queue.push(item, 'flood')
  await settled()
  const before = floods()
  queue.push(1, 'quiet')
  for (const { end } of writes) end()
  await settled()
  expect(batches()).toContainEqual([1])
  expect(floods() - before).toBe(1)
  while (floods() - before < 2) {
    await sleep(50)
    queue.push(1_000, 'flood')
    await settled()
  }
})

test('tenants that have many items take turns, a batch each', async () => {
  const { queue, writes, batches } = queueUnderTest({ inFlightMax: 2, waitMs: 0, batchMax: 50 })
  const push = (tenant: number, count: number) => {
    for (let i = 0; i < count; i++) queue.push(tenant, `tenant ${tenant}`)
  }
  push(1, 32 + 200)
  push(2, 32 + 60)
  push(3, 32 + 60)
  for (let write = 0; write < 12; write++) {
    await settled()
    writes[write]?.end()
  }
  const whose = batches().map((batch) => [...new Set(batch)])
  const many = whose.filter((_, i) => (batches()[i]?.length ?? 0) > 0 && whose[i]?.length === 1)
  expect(many.map(([tenant]) => tenant)).toEqual([1, 2, 3, 1, 2, 3, 1, 1])
})

test('with one write at a time, the lanes take turns', async () => {
  const { queue, writes, batches } = queueUnderTest({ inFlightMax: 1, waitMs: 0, batchMax: 32 })
  for (let item = 0; item < 200; item++) queue.push(1, 'flood')
  for (let write = 0; write < 4; write++) {
    queue.push(2, `quiet ${write}`)
    await settled()
    writes[write]?.end()
  }
  await settled()
  const whose = batches().map((batch) => [...new Set(batch)].join())
  expect(whose).toEqual(['1', '1', '2', '1', '2'])
})
