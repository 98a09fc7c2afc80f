import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createShares } from '../../src/access/shares.ts'

test('one tenant alone may hold four fifths, and whoever comes next always finds room', () => {
  const shares = createShares(1_000)
  const taken = (tenantId: string) => {
    let count = 0
    while (shares.take(tenantId, 1) === 'taken') count += 1
    return count
  }
  expect(taken('first')).toBe(800)
  expect(shares.take('first', 1)).toBe('over-share')
  expect(taken('second')).toBe(160)
  expect(taken('third')).toBe(32)
  expect(shares.total()).toBe(992)
})

test('greedy tenants end with equal shares, once they give back what they have', () => {
  const shares = createShares(900)
  const greedy = ['a', 'b']
  for (let i = 0; i < 5_000; i++) {
    for (const tenantId of greedy) while (shares.take(tenantId, 1) === 'taken');
    for (const tenantId of greedy) shares.give(tenantId, Math.min(10, shares.held(tenantId)))
  }
  for (const tenantId of greedy) expect(shares.held(tenantId)).toBeGreaterThan(360)
})

test('asking takes nothing, and what one tenant can have at most is known', () => {
  const shares = createShares(10)
  expect(shares.ask('one', shares.mostOfOne)).toBe('taken')
  expect(shares.take('one', shares.mostOfOne)).toBe('taken')
  expect([shares.mostOfOne, shares.held('one')]).toEqual([8, 8])
  expect(shares.ask('one', 1)).toBe('over-share')
})

test('what is only known once it is there is held beyond the share, and then there is no more for its tenant', () => {
  const shares = createShares(100)
  shares.hold('one', 85)
  expect(shares.ask('one', 1)).toBe('over-share')
  expect(shares.take('two', 10)).toBe('taken')
  shares.give('one', 85)
  expect(shares.ask('one', 1)).toBe('taken')
})

test('a small tenant is told that the others hold everything', () => {
  const shares = createShares(3)
  for (const tenantId of ['a', 'b', 'c']) expect(shares.take(tenantId, 1)).toBe('taken')
  expect(shares.take('d', 1)).toBe('full')
})

test('property: never more than there is, and all is free again when all was given back', () => {
  const step = fc.record({ tenantId: fc.constantFrom('a', 'b', 'c', 'd'), count: fc.integer({ min: 1, max: 50 }) })
  fc.assert(
    fc.property(fc.array(step), fc.integer({ min: 1, max: 200 }), (steps, max) => {
      const shares = createShares(max)
      const held: typeof steps = []
      for (const { tenantId, count } of steps) {
        if (shares.take(tenantId, count) === 'taken') held.push({ tenantId, count })
        if (shares.total() > max) return false
      }
      for (const { tenantId, count } of held) shares.give(tenantId, count)
      return shares.total() === 0 && ['a', 'b', 'c', 'd'].every((tenantId) => shares.held(tenantId) === 0)
    }),
  )
})
