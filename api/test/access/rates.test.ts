import { expect, test } from 'vitest'
import { createRates, type Sender } from '../../src/access/rates.ts'

const WHO = { tenantId: 'tenant', keyId: 'key' }

function ratesUnderTest(usualRate: number) {
  let ms = 1_000_000
  const rates = createRates(usualRate, undefined, () => ms)
  /** A request with so many events. */
  const take = (who: Sender, events: number) => {
    const over = rates.take(who)
    if (over === undefined) rates.charge(who, events - 1)
    return over
  }
  const pass = (seconds: number) => {
    ms += seconds * 1000
  }
  return { take, pass }
}

test('events count, not requests', () => {
  const { take, pass } = ratesUnderTest(100)
  expect(take(WHO, 99)).toBeUndefined()
  expect(take(WHO, 1)).toBeUndefined()
  expect(take(WHO, 1)).toEqual({ of: 'tenant', ratePerSecond: 100, waitSeconds: 1 })
  expect(take({ ...WHO, tenantId: 'another' }, 100)).toBeUndefined()
  pass(1)
  expect(take(WHO, 100)).toBeUndefined()
})

test('a batch larger than the rate is taken, and owed by the seconds that follow', () => {
  const { take, pass } = ratesUnderTest(100)
  expect(take(WHO, 350)).toBeUndefined()
  expect(take(WHO, 1)).toMatchObject({ waitSeconds: 3 })
  pass(2)
  expect(take(WHO, 1)).toMatchObject({ waitSeconds: 1 })
  pass(1)
  // 50 are left over from the batch.
  expect(take(WHO, 50)).toBeUndefined()
  expect(take(WHO, 1)).toBeDefined()
})

test('on average nobody gets more than the rate, whatever is asked for', () => {
  const { take, pass } = ratesUnderTest(100)
  let taken = 0
  for (let second = 0; second < 1_000; second++) {
    for (const events of [1, 70, 500, 20]) if (take(WHO, events) === undefined) taken += events
    pass(1)
  }
  expect(taken).toBeLessThanOrEqual(1_000 * 100 + 600)
  expect(taken).toBeGreaterThan(1_000 * 100 - 500)
})

test('a key with a rate of its own is held to it, and to what its tenant may send', () => {
  const { take } = ratesUnderTest(100)
  const narrow = { ...WHO, keyRate: 10 }
  expect(take(narrow, 10)).toBeUndefined()
  expect(take(narrow, 1)).toEqual({ of: 'key', ratePerSecond: 10, waitSeconds: 1 })
  expect(take({ ...WHO, keyId: 'other key' }, 90)).toBeUndefined()
  expect(take({ ...narrow, keyId: 'third key' }, 1)).toMatchObject({ of: 'tenant' })
})
