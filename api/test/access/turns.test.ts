import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createTurns } from '../../src/access/turns.ts'

/** Work that ends when the test says so. */
function turnsUnderTest(atOnce: () => number) {
  const turns = createTurns(atOnce)
  const started: { readonly tenantId: string; readonly end: () => void }[] = []
  const run = (tenantId: string, fails = false) =>
    turns.run(tenantId, async () => {
      await new Promise<void>((end) => started.push({ tenantId, end }))
      if (fails) throw new Error('it failed')
    })
  return { run, started, whose: () => started.map(({ tenantId }) => tenantId).join('') }
}

test('tenants take turns, however many one of them asks for, and a new one does not wait', async () => {
  const { run, started, whose } = turnsUnderTest(() => 4)
  for (let i = 0; i < 20; i++) void run('a')
  await turn()
  expect(whose()).toBe('aaa')
  void run('b')
  await turn()
  expect(whose()).toBe('aaab')
  for (const tenantId of ['c', 'c', 'd']) void run(tenantId)
  for (let i = 0; i < 6; i++) {
    started[i]?.end()
    await turn()
    await turn()
  }
  expect(whose().slice(4)).toBe('acdaca')
})

test('what fails gives its turn back, and there may be fewer of them later', async () => {
  let atOnce = 2
  const { run, started, whose } = turnsUnderTest(() => atOnce)
  const failing = run('a', true)
  await turn()
  started[0]?.end()
  await expect(failing).rejects.toThrow('it failed')
  for (const tenantId of ['a', 'b', 'c', 'd']) void run(tenantId)
  await turn()
  expect(whose()).toBe('aab')
  atOnce = 1
  started[1]?.end()
  await turn()
  await turn()
  expect(whose()).toBe('aab')
  started[2]?.end()
  await turn()
  await turn()
  expect(whose()).toBe('aabc')
})
