import { expect, test } from 'vitest'
import { createServerUsage } from '../../src/telemetry/server-usage.ts'

test('a server is asked when somebody wants to know, and not on its own', async () => {
  let asked = 0
  const usage = createServerUsage([
    async () => {
      asked += 1
      return { redis_connections: asked }
    },
  ])
  expect([asked, usage.of('redis_connections')]).toEqual([0, undefined])
  await usage.read()
  await usage.read()
  expect([asked, usage.of('redis_connections')]).toEqual([2, 2])
})

test('a server that does not answer keeps nobody waiting for it, is not asked twice, and what it had said is forgotten', async () => {
  const hung = Promise.withResolvers<{ redis_memory: number }>()
  const answers = [Promise.resolve({ redis_memory: 1 }), hung.promise, Promise.resolve({ redis_memory: 3 })]
  let asked = 0
  const usage = createServerUsage(
    [() => answers[asked++] as Promise<{ redis_memory: number }>, async () => ({ postgres_connections: 7 })],
    20,
  )
  await usage.read()
  expect(usage.of('redis_memory')).toBe(1)
  await usage.read()
  await usage.read()
  expect([asked, usage.of('redis_memory'), usage.of('postgres_connections')]).toEqual([2, undefined, 7])
  hung.resolve({ redis_memory: 2 })
  await hung.promise
  await usage.read()
  expect([asked, usage.of('redis_memory')]).toEqual([3, 3])
})

test('a server that fails says nothing', async () => {
  const usage = createServerUsage([() => Promise.reject(new Error('gone'))])
  await usage.read()
  expect(usage.of('redis_memory')).toBeUndefined()
})
