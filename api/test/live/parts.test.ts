import { LIVE_TYPES } from '@hopwhistle/contract/live.ts'
import { bitOfType, MASK_ALL, maskOfPatterns } from '@hopwhistle/contract/patterns.ts'
import { expect, test, vi } from 'vitest'
import { eventsFrames, textFrame } from '../../src/live/frame.ts'
import { createHeartbeat } from '../../src/live/heartbeat.ts'
import { createHistoryBudget } from '../../src/live/history-budget.ts'
import { keptBatches } from '../../src/live/kept-batches.ts'
import { createMessageAllowance } from '../../src/live/message-allowance.ts'
import { decodeBody, encodeBody } from '../../src/live/messages.ts'
import { recentMessages } from '../../src/live/recent-messages.ts'
import { connectionOptions, reconnectDelayMs } from '../../src/redis/connection-options.ts'

test.each([0, 1, 125, 126, 65_535, 65_536, 200_000])(
  'a text frame of %i bytes is framed as RFC 6455 says',
  (length) => {
    const frame = textFrame('x'.repeat(length))
    expect(frame[0]).toBe(0x81)
    const [header, said] =
      length < 126
        ? [2, frame[1]]
        : length < 65_536
          ? [4, frame.readUInt16BE(2)]
          : [10, Number(frame.readBigUInt64BE(2))]
    expect(said).toBe(length)
    expect(frame.length).toBe(header + length)
  },
)

test('the length of a frame counts bytes, not characters', () => {
  expect(textFrame('é€𝄞').subarray(2).toString()).toBe('é€𝄞')
  expect(textFrame('é€𝄞')[1]).toBe(9)
})

const message = (n: number) => ({
  type: LIVE_TYPES[n % LIVE_TYPES.length]!,
  eventId: `event ${n} "quoted" \n`,
  callId: 'ü',
  sequence: 1,
  occurredAt: 1_000 + n,
  receivedAt: 2_000 + n,
  outcome: 'applied' as const,
})

test('messages come out of a body as they went in, with their offsets', () => {
  const messages = [message(1), message(2), message(3)]
  const decoded = decodeBody(41, encodeBody(messages))
  expect(decoded.map((each) => JSON.parse(each.line))).toEqual(messages.map((each, i) => ({ offset: 41 + i, ...each })))
  expect(decoded.map((each) => each.bit)).toEqual(messages.map((each) => bitOfType(each.type)))
  expect(decoded[0]).toMatchObject({ occurredAt: 1_001, receivedAt: 2_001 })
})

test('long ranges are cut into frames that settle them without a hole', () => {
  const messages = decodeBody(11, encodeBody(Array.from({ length: 3_000 }, (_, i) => message(i))))
  const frames = eventsFrames('e', 11, 3_020, messages, 5_000)
  expect(frames.length).toBeGreaterThan(2)
  let at = 10
  for (const { bytes, count } of frames) {
    const head = JSON.parse(
      bytes
        .subarray(bytes[1] === 127 ? 10 : 4)
        .toString()
        .split('\n')[0]!,
    )
    expect(head).toMatchObject({ from: at + 1, count })
    expect(head.oldestAt).toBe(1_000 + at - 10)
    at = head.to
  }
  expect(at).toBe(3_020)
})

test('call.* matches every type, also those that only a newer instance knows', () => {
  expect(maskOfPatterns(['call.*'])).toBe(MASK_ALL)
  expect(MASK_ALL & bitOfType('call.transferred')).not.toBe(0)
  expect(maskOfPatterns(LIVE_TYPES)! & bitOfType('call.transferred')).toBe(0)
  for (const type of LIVE_TYPES) expect(maskOfPatterns([type])).toBe(bitOfType(type))
  for (const none of ['call', 'call.', '*', 'call.RINGING', 'toString']) expect(maskOfPatterns([none])).toBeUndefined()
})

test('recent messages are given only without a hole', () => {
  const recent = recentMessages(10, createHistoryBudget(1_000_000))
  recent.push(decodeBody(5, encodeBody(Array.from({ length: 18 }, (_, i) => message(i)))))
  expect(recent.after(4)?.map((each) => each.offset)).toHaveLength(18)
  expect(recent.after(3)).toBeUndefined()
  expect(recent.after(22)).toBeUndefined()
  recent.push(decodeBody(23, encodeBody([message(1), message(2), message(3)])))
  expect(recent.after(14)).toBeUndefined()
  expect(recent.after(15)?.[0]?.offset).toBe(16)
  recent.clear()
  expect(recent.after(15)).toBeUndefined()
})

test('history of all tenants together keeps to its budget, and the one that has the most gives up its oldest', () => {
  const budget = createHistoryBudget(100_000)
  const batch = (from: number) => decodeBody(from, encodeBody(Array.from({ length: 10 }, (_, i) => message(i))))
  const [big, small] = [recentMessages(4_000, budget), recentMessages(4_000, budget)]
  small.push(batch(1))
  for (let n = 0; n < 200; n++) {
    big.push(batch(10 * n + 1))
    expect(budget.bytes()).toBeLessThanOrEqual(100_000)
  }
  expect(big.after(0)).toBeUndefined()
  expect(big.after(1_998)).toHaveLength(2)
  expect(small.after(0)).toHaveLength(10)

  const kept = keptBatches(budget)
  const body = 'x'.repeat(10_000)
  const fits = Array.from({ length: 20 }, (_, n) => kept.keep({ epoch: 'e', from: n + 1, to: n + 1, body }))
  expect(fits).toContain(false)
  expect(budget.bytes()).toBeLessThanOrEqual(100_000)
  for (const one of [big, small, kept]) one.close()
  expect(budget.bytes()).toBe(0)
})

test('the allowance is a burst, then so many a second', () => {
  let now = 0
  const allowance = createMessageAllowance(10, 3, () => now)
  expect([1, 2, 3, 4].map(() => allowance.take())).toEqual([true, true, true, false])
  now = 100
  expect([1, 2].map(() => allowance.take())).toEqual([true, false])
  now = 60_000
  expect([1, 2, 3, 4].map(() => allowance.take())).toEqual([true, true, true, false])
})

test('the heartbeat asks everyone once a round and cuts who did not answer', () => {
  vi.useFakeTimers()
  const heartbeat = createHeartbeat<{ ping(): void; cut(): void }>(25_000)
  const events: string[] = []
  const socket = (name: string, answers: boolean) => {
    const one = {
      ping: () => {
        events.push(`ping ${name}`)
        if (answers) heartbeat.heard(one)
      },
      cut: () => {
        events.push(`cut ${name}`)
        heartbeat.remove(one)
      },
    }
    heartbeat.add(one)
  }
  socket('alive', true)
  socket('dead', false)
  vi.advanceTimersByTime(25_000)
  expect(events.sort()).toEqual(['ping alive', 'ping dead'])
  vi.advanceTimersByTime(25_000)
  expect(events.sort()).toEqual(['cut dead', 'ping alive', 'ping alive', 'ping dead'])
  heartbeat.stop()
  vi.useRealTimers()
})

test('reconnecting never stops, never waits long, and never comes all at once', () => {
  for (const attempt of [1, 2, 5, 10, 1_000]) {
    const [least, most] = [reconnectDelayMs(attempt, () => 0), reconnectDelayMs(attempt, () => 1)]
    expect(least).toBeGreaterThan(0)
    expect(most).toBeLessThanOrEqual(2_000)
    expect(most).toBeGreaterThan(least)
  }
})

test('the Redis URL gives host, port, credentials, database and TLS', () => {
  const options = connectionOptions({ redisUrl: 'rediss://us%40er:pa%3Ass@[::1]:7000/3' }, 'commands')
  expect(options).toMatchObject({ host: '::1', port: 7000, username: 'us@er', password: 'pa:ss', db: 3 })
  expect(options.tls).toBeDefined()
  expect(connectionOptions({ redisUrl: 'redis://h' }, 'commands')).toMatchObject({ host: 'h', port: 6379, db: 0 })
})
