import { expect, test } from 'vitest'
import { dueAtSeconds, plannedMessages } from '../../scenarios/lib/publish-schedule.ts'
import { subscribersOf } from '../../scenarios/lib/subscriber-share.ts'

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
  expect(shares.reduce((sum, share) => sum + share, 0)).toBe(subscribers)
  expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
})
