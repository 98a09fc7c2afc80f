import { expect, test } from 'vitest'
import { dueAtSeconds, plannedMessages } from '../../scenarios/lib/publish-schedule.ts'
import { subscribersOf, subscribersOfTenant } from '../../scenarios/lib/subscriber-share.ts'

const schedule = { ratePerSecond: 505, rampSeconds: 60, peakSeconds: 180 }

test('the rate rises evenly during the ramp and is held at the peak', () => {
  const perSecond = new Array<number>(240).fill(0)
  for (let i = 0; i < plannedMessages(schedule); i++) perSecond[Math.floor(dueAtSeconds(i, schedule))]! += 1
  for (const second of [0, 10, 30, 59]) {
    expect(Math.abs(perSecond[second]! - (505 * (second + 0.5)) / 60)).toBeLessThanOrEqual(1)
  }
  for (const second of [60, 100, 239]) expect(Math.abs(perSecond[second]! - 505)).toBeLessThanOrEqual(1)
})

test('every message is due after the one before, and within the time there is', () => {
  let before = -1
  for (let i = 0; i < plannedMessages(schedule); i++) {
    const due = dueAtSeconds(i, schedule)
    expect(due).toBeGreaterThan(before)
    before = due
  }
  expect(before).toBeLessThan(240)
})

test.each([
  [200, 10],
  [200, 12],
  [7, 3],
])('%i subscribers on %i VUs: all of them, and no VU more than one beyond another', (subscribers, subscriberVUs) => {
  const shares = Array.from({ length: subscriberVUs }, (_, i) => subscribersOf(i, { subscribers, subscriberVUs }))
  expect(shares.flat()).toEqual(Array.from({ length: subscribers }, (_, i) => i))
  const sizes = shares.map(({ length }) => length)
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
})

test.each([
  [200, 1],
  [200, 7],
  [200, 1_000],
])('%i subscribers of %i tenants: each tenant has as many as follow it', (subscribers, tenants) => {
  const follow = Array.from({ length: tenants }, () => 0)
  for (let i = 0; i < subscribers; i++) follow[i % tenants]! += 1
  expect(follow.map((_, tenant) => subscribersOfTenant(tenant, subscribers, tenants))).toEqual(follow)
})
