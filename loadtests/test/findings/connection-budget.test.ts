import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { expect, test } from 'vitest'
import { poolSizes } from '../../../api/src/postgres/open-postgres.ts'
import { largestPool, mostInstances, primaryConnections } from '../../bench/findings/connection-budget.ts'

test("an instance's part of the primary's connections is what the API makes it", () => {
  for (let total = 4; total <= 100; total++) {
    const { ingest, upkeep, reportsPrimary } = poolSizes(total, true)
    expect(primaryConnections(total)).toBe(ingest + upkeep + reportsPrimary)
  }
})

test('as many instances fit as leave a tenth to others', () => {
  expect(primaryConnections(LIMITS.postgres_pool.value)).toBe(12)
  expect(mostInstances(100, 20)).toBe(7)
  expect(largestPool(100, 3)).toBe(52)
  expect(mostInstances(100, largestPool(100, 3))).toBeGreaterThanOrEqual(3)
})
