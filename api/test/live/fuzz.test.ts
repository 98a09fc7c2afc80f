import type { Socket } from 'node:net'
import { LIVE_CLOSE, LIVE_PATTERN_ALL, LIVE_TYPES } from '@hopwhistle/contract/live.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openClient } from './support/client.ts'
import { idsOf, ringing } from './support/messages.ts'
import { platform } from './support/platform.ts'

/** The same cases each time: what breaks is to break for who changes it, and not for who comes by. */
const SEED = 7
const RUNS = 300
const BAD = [LIVE_CLOSE.badMessage, LIVE_CLOSE.tooManyRequests, 1009]

/** Requests that are nearly right, with any field exchanged for anything. */
const nearlyRight = fc
  .record(
    {
      type: fc.oneof(fc.constantFrom('subscribe', 'unsubscribe', 'ping'), fc.jsonValue()),
      patterns: fc.oneof(fc.array(fc.constantFrom(LIVE_PATTERN_ALL, ...LIVE_TYPES, 'call.', '*')), fc.jsonValue()),
      recover: fc.oneof(
        fc.record({ epoch: fc.string(), offset: fc.oneof(fc.integer(), fc.double(), fc.maxSafeNat()) }),
        fc.jsonValue(),
      ),
    },
    { requiredKeys: [] },
  )
  .map((value) => JSON.stringify(value))
const anything = fc.oneof(nearlyRight, nearlyRight, fc.json(), fc.string(), fc.string({ unit: 'binary' }))

const ANSWERS = new Set(['subscribed', 'unsubscribed', 'pong', 'error'])

test('whatever a client says, the protocol answers it, and nobody beside it notices', { timeout: 60_000 }, async () => {
  const { one, client } = await platform()
  const bystander = client()
  await bystander.subscribe()
  await fc.assert(
    fc.asyncProperty(fc.array(anything, { minLength: 1, maxLength: 6 }), async (said) => {
      const fuzzer = openClient(one.url)
      await fuzzer.opened()
      for (const text of said) fuzzer.send(text)
      // The last word is a right one: it is answered, unless the socket was closed for one before.
      fuzzer.send({ type: 'ping' })
      const ended = await Promise.race([fuzzer.notice('pong'), fuzzer.closedWith()])
      fuzzer.cut()
      if ('code' in ended) expect(BAD).toContain(ended.code)
      expect(fuzzer.notices.map(({ type }) => type).filter((type) => !ANSWERS.has(type))).toEqual([])
      expect(fuzzer.broken()).toEqual([])
    }),
    { seed: SEED, numRuns: RUNS },
  )
  const batch = ringing(3)
  await one.live.publish(batch)
  await bystander.received(3)
  expect(bystander.ids()).toEqual(idsOf(batch))
  expect(bystander.closed()).toBeUndefined()
})

test('bytes that are no WebSocket frames end their own connection and no other', { timeout: 60_000 }, async () => {
  const { one, client } = await platform()
  const bystander = client()
  await bystander.subscribe()
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 2, maxLength: 300 }), async (bytes) => {
      const fuzzer = openClient(one.url)
      await fuzzer.opened()
      const { _socket: raw } = fuzzer.socket as unknown as { _socket: Socket }
      raw.end(Buffer.from(bytes))
      await fuzzer.closedWith()
    }),
    { seed: SEED, numRuns: RUNS },
  )
  await one.live.publish(ringing(1))
  await bystander.received(1)
  expect(bystander.closed()).toBeUndefined()
})
