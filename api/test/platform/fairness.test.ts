/** What one tenant does, another does not notice. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { anEvent, type Platform, post, runningPlatform } from './running-platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await runningPlatform(1, { INGEST_QUEUE_MAX: '4000', TENANT_RATE_PER_SECOND: '1000000' })
})
afterAll(() => platform.close())

const at = () => platform.instances[0]!

test('60 connections that send batches of 500 are refused with 429, and no single event of another tenant is', async () => {
  const [flood, quiet] = [await platform.newTenant(), await platform.newTenant()]
  let done = false
  const statuses = new Map<number, number>()
  const sending = Array.from({ length: 60 }, async () => {
    while (!done) {
      const events = Array.from({ length: 500 }, () => anEvent('INITIATED'))
      const { status, headers } = await post(at(), { events }, flood.key, ROUTES.callEvents)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status === 429) expect(headers.get('retry-after')).toBe('1')
    }
  })
  const quietly: number[] = []
  const enough = () => quietly.length >= 60 && (statuses.get(200) ?? 0) >= 5 && (statuses.get(429) ?? 0) >= 60
  const until = performance.now() + 15_000
  while (!enough() && performance.now() < until) {
    quietly.push((await post(at(), anEvent('INITIATED'), quiet.key)).status)
    await sleep(10)
  }
  done = true
  await Promise.all(sending)
  expect(new Set(quietly)).toEqual(new Set([201]))
  expect([...statuses.keys()].toSorted()).toEqual([200, 429])
}, 60_000)
