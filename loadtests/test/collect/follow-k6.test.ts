import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { afterEach, expect, test } from 'vitest'
import { followK6 } from '../../bench/collect/follow-k6.ts'
import { readK6 } from '../../bench/collect/k6-snapshot.ts'

const close: (() => void)[] = []
afterEach(() => {
  for (const step of close.splice(0)) step()
})

/** A runner's REST API: one more update with every reading. */
async function runner({
  answers = (): boolean => true,
  delayMs = 0,
} = {}): Promise<{ address: string; readings: () => number }> {
  let readings = 0
  const server = createServer(async (_, response) => {
    if (!answers()) return void response.writeHead(500).end()
    readings += 1
    const sample = { count: readings }
    await sleep(delayMs)
    response.end(JSON.stringify({ data: [{ id: 'updates_ok_peak', attributes: { type: 'counter', sample } }] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  close.push(() => server.close())
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, readings: () => readings }
}

const readers = (...runners: readonly { readonly address: string }[]) =>
  runners.map(
    ({ address }) =>
      () =>
        readK6(address),
  )

test('the points of two runners are the sums of what both did', async () => {
  const [one, other] = await Promise.all([runner(), runner()])
  const shares = new Set<string>()
  const stop = followK6({
    runners: readers(one, other),
    everyMs: 20,
    onPoint: (_, __, each) => shares.add(each.map(({ counters }) => counters.updates_ok_peak).join(' and ')),
  })
  await waitUntil('some readings', () => other.readings() > 4, { timeoutMs: 15_000 })
  const points = await stop()
  expect(points.length).toBeGreaterThanOrEqual(3)
  for (const { counters, windowSeconds } of points) {
    expect(counters).toEqual({ updates_ok_peak: 2 })
    expect(windowSeconds).toBeGreaterThan(0)
  }
  expect([...shares]).toEqual(['1 and 1'])
})

test('while a runner does not answer there is no point, and nothing is lost when it does again', async () => {
  let up = true
  const [one, other] = await Promise.all([runner(), runner({ answers: () => up })])
  const stop = followK6({ runners: readers(one, other), everyMs: 20 })
  await waitUntil('a first reading', () => other.readings() > 1, { timeoutMs: 15_000 })
  up = false
  const before = one.readings()
  await waitUntil('readings without the other', () => one.readings() > before + 3, { timeoutMs: 15_000 })
  up = true
  const missed = other.readings()
  await waitUntil('both again', () => other.readings() > missed + 1, { timeoutMs: 15_000 })
  const points = await stop()
  const sum = points.reduce((sum, { counters }) => sum + (counters.updates_ok_peak ?? 0), 0)
  // Each counts from its first reading, which is no point yet.
  expect(Math.abs(sum - (one.readings() + other.readings() - 2))).toBeLessThanOrEqual(2)
  expect(Math.max(...points.map(({ counters }) => counters.updates_ok_peak ?? 0))).toBeGreaterThan(4)
})

test('a runner that is slow to answer is asked less often', async () => {
  const slow = await runner({ delayMs: 50 })
  const stop = followK6({ runners: readers(slow), everyMs: 20 })
  await waitUntil('a first reading', () => slow.readings() > 0, { timeoutMs: 15_000 })
  // Time for twenty readings, had it been quick.
  await sleep(500)
  await stop()
  expect(slow.readings()).toBe(1)
})
