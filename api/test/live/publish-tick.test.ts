import fc from 'fast-check'
import { expect, test } from 'vitest'
import { publishTick } from '../../src/live/publish-tick.ts'

const tenants = fc.uuid()
const ticks = fc.integer({ min: 1, max: 1000 })
const times = fc.nat(1e13)

test('whenever instances ask, their next ticks are whole ticks apart', () => {
  fc.assert(
    fc.property(tenants, ticks, times, times, (tenantId, tickMs, one, other) => {
      const nextAt = (now: number) => now + publishTick(tickMs, () => now)(tenantId)
      expect(Math.abs(nextAt(one) - nextAt(other)) % tickMs).toBe(0)
    }),
  )
})

test('the next tick is neither too near nor further than one and a quarter', () => {
  fc.assert(
    fc.property(tenants, ticks, times, (tenantId, tickMs, now) => {
      const waitMs = publishTick(tickMs, () => now)(tenantId)
      expect(waitMs).toBeGreaterThanOrEqual(tickMs / 4)
      expect(waitMs).toBeLessThan(tickMs * 1.25)
    }),
  )
})

test('without ticks nothing waits', () => {
  expect(publishTick(0)('11111111-1111-4111-8111-111111111111')).toBe(0)
})

test('tenants have their ticks at different times', () => {
  const untilPublish = publishTick(100, () => 0)
  expect(new Set(fc.sample(tenants, 100).map(untilPublish)).size).toBeGreaterThan(20)
})
