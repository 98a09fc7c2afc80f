import { expect, test, vi } from 'vitest'
import { emptyHead, emptyMessages, headStart, readHead, readMessages } from '../../scenarios/lib/live-frame.ts'

const at = 1_795_487_755_000
const head = { type: 'events', epoch: 'e-1', from: 41, to: 43, count: 3, sentAt: at + 20, oldestAt: at }
const message = (offset: number, eventId: string) => ({
  offset,
  type: 'call.ringing',
  eventId,
  callId: 'c,"occurredAt":7',
  occurredAt: at + offset,
  receivedAt: at + 5,
  outcome: 'applied',
})
const messages = [message(41, 'run.p7.1795487754000'), message(42, 'other"x'), message(43, 'run.end0.3')]
const frame = (first: object, lines: readonly object[]) =>
  [first, ...lines].map((line) => JSON.stringify(line)).join('\n')

function read(text: string) {
  const readTo = emptyHead()
  const into = emptyMessages()
  if (!readHead(text, headStart('e-1'), readTo)) return undefined
  const count = readMessages(text, readTo, 'run.p', into)
  return { head: { ...readTo }, count, ...into }
}

const expected = {
  head: { from: 41, to: 43, count: 3, oldestAt: at },
  count: 3,
  offsets: [41, 42, 43],
  numbers: [7, -1, -1],
  occurredAt: [at + 41, at + 42, at + 43],
}

test('a frame in the order of the protocol is read without parsing it', () => {
  const text = frame(head, messages)
  const parsing = vi.spyOn(JSON, 'parse')
  const { ids, ...rest } = read(text)!
  expect(parsing).not.toHaveBeenCalled()
  parsing.mockRestore()
  expect(rest).toEqual(expected)
  expect(ids[2]).toBe('run.end0.3')
})

test('a frame with its fields in any other order is read all the same', () => {
  const reversed = (object: object) => Object.fromEntries(Object.entries(object).reverse())
  const { ids, ...rest } = read(frame(reversed(head), messages.map(reversed)))!
  expect(rest).toEqual(expected)
  expect(ids.slice(1)).toEqual(['other"x', 'run.end0.3'])
})

test('a message with an offset out of line is read as it is', () => {
  const odd = read(frame(head, [messages[0]!, message(99, 'run.p8'), messages[2]!]))
  expect(odd?.offsets).toEqual([41, 99, 43])
})

test("of a frame with nothing but the run's messages, each is read as it is", () => {
  const own = [message(41, 'run.p7.1795487754000'), message(42, 'run.p12.5'), message(43, 'run.p0')]
  const { head: _, ids, ...rest } = read(frame(head, own))!
  expect(rest).toEqual({
    count: 3,
    offsets: [41, 42, 43],
    numbers: [7, 12, 0],
    occurredAt: [at + 41, at + 42, at + 43],
  })
  expect(read(frame(head, [own[0]!, message(99, 'run.p8'), own[2]!]))?.offsets).toEqual([41, 99, 43])
  expect(read(frame(head, [own[0]!, message(42, 'run.p8x'), own[2]!]))?.numbers).toEqual([7, -1, 0])
})

test('whatever is no events frame is left to others', () => {
  expect(read(JSON.stringify({ type: 'subscribed', patterns: ['call.*'], epoch: 'e-1', offset: 40 }))).toBeUndefined()
  expect(read('{"type":"pong"}')).toBeUndefined()
})

test('a head for an unknown epoch is read as well', () => {
  expect(read(frame({ ...head, epoch: 'a-much-longer-epoch' }, messages))?.head).toEqual(expected.head)
})
