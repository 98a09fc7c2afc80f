import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createPaced } from '../../src/access/paced.ts'

test('one piece of work runs in each turn of the event loop, and tenants take turns', async () => {
  const paced = createPaced()
  const done: string[] = []
  const run = (tenantId: string) => paced.run(tenantId, () => void done.push(tenantId))
  for (let i = 0; i < 4; i++) run('a')
  expect(done.join('')).toBe('a')
  run('b')
  await turn()
  expect(done.join('')).toBe('aa')
  await turn()
  expect(done.join('')).toBe('aab')
  run('a')
  run('c')
  for (let i = 0; i < 10; i++) await turn()
  expect(done.join('')).toBe('aabacaa')
})

test('what comes when nothing has run in this turn of the event loop does not wait for the next', async () => {
  const paced = createPaced()
  const done: string[] = []
  for (const tenantId of ['a', 'b']) {
    paced.run(tenantId, () => void done.push(tenantId))
    expect(done.at(-1)).toBe(tenantId)
    await turn()
    await turn()
  }
})
