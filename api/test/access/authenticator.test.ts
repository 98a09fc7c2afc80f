import { hash } from 'node:crypto'
import { expect, test } from 'vitest'
import { createAuthenticator } from '../../src/access/authenticator.ts'
import type { Principal } from '../../src/access/principal.ts'

const alice: Principal = { keyId: 'key-1', tenantId: 'tenant-1', scopes: new Set(['events:write'] as const) }

function keysKnown(keys: Record<string, Principal>) {
  const asked: string[] = []
  let nowMs = 1
  const byHash = () => new Map(Object.entries(keys).map(([key, p]) => [hash('sha256', key), p]))
  const authenticator = createAuthenticator(
    async (keyHash) => {
      asked.push(keyHash.toString('hex'))
      return byHash().get(keyHash.toString('hex'))
    },
    3000,
    () => nowMs,
  )
  return { authenticator, asked, keys, pass: (ms: number) => (nowMs += ms) }
}

test('a key is asked for once, however many requests bring it at the same time', async () => {
  const { authenticator, asked } = keysKnown({ secret: alice })
  const answers = await Promise.all(Array.from({ length: 50 }, () => authenticator.authenticate('secret')))
  expect(answers).toEqual(Array(50).fill(alice))
  expect(asked).toHaveLength(1)
})

test('a revoked key stops working once the cache is out of date, and its sockets are no longer valid', async () => {
  const { authenticator, keys, pass } = keysKnown({ secret: alice })
  expect(await authenticator.authenticate('secret')).toBe(alice)
  delete keys.secret
  pass(2999)
  expect(await authenticator.authenticate('secret')).toBe(alice)
  pass(2)
  expect(await authenticator.authenticate('secret')).toBeUndefined()
  expect(await authenticator.stillValid('key-1')).toBe(false)
})

test('with a cache time of 0 each request asks', async () => {
  let asked = 0
  const authenticator = createAuthenticator(async () => (asked++ < 1 ? alice : undefined), 0)
  expect(await authenticator.authenticate('secret')).toBe(alice)
  expect(await authenticator.authenticate('secret')).toBeUndefined()
  expect(await authenticator.stillValid('key-1')).toBe(false)
  expect(asked).toBe(3)
})

test('a new key works as soon as the answer "unknown" is out of date', async () => {
  const { authenticator, keys, pass } = keysKnown({})
  expect(await authenticator.authenticate('later')).toBeUndefined()
  keys.later = alice
  pass(3001)
  expect(await authenticator.authenticate('later')).toBe(alice)
})

test('guessing thousands of keys does not push out a known one', async () => {
  const { authenticator, asked } = keysKnown({ secret: alice })
  await authenticator.authenticate('secret')
  for (let i = 0; i < 3000; i++) await authenticator.authenticate(`guess-${i}`)
  const before = asked.length
  expect(await authenticator.authenticate('secret')).toBe(alice)
  expect(asked).toHaveLength(before)
})

test('a key that is used stays known, however many others come', async () => {
  let asked = 0
  const authenticator = createAuthenticator(async (keyHash) => {
    asked += 1
    return { ...alice, keyId: keyHash.toString('hex') }
  }, 600_000)
  const used = await authenticator.authenticate('used')
  for (let i = 0; i < 12_000; i++) {
    await authenticator.authenticate(`another ${i}`)
    await authenticator.authenticate('used')
    await authenticator.stillValid(used?.keyId ?? '')
  }
  expect(asked).toBe(12_001)
  expect(await authenticator.stillValid(used?.keyId ?? '')).toBe(true)
})

test('with the database away an open socket stays valid, and a new key is an error rather than a refusal', async () => {
  let nowMs = 1
  let away = false
  const authenticator = createAuthenticator(
    async () => {
      if (away) throw new Error('no database')
      return alice
    },
    3000,
    () => nowMs,
  )
  await authenticator.authenticate('secret')
  away = true
  nowMs = 4000
  expect(await authenticator.stillValid('key-1')).toBe(true)
  await expect(authenticator.authenticate('secret')).rejects.toThrow('no database')
})
