import { expect, test } from 'vitest'
import { clientFrame, frameReader, OPCODE } from '../reader/frames.ts'
import { PROTOCOLS, sentTimes } from '../reader/protocol.ts'

/** A frame of a server: not masked. */
function serverFrame(text: string): Buffer {
  const { length } = text
  const size =
    length < 126
      ? [length]
      : length < 65_536
        ? [126, length >> 8, length & 255]
        : [127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255]
  return Buffer.concat([Buffer.from([0x81, ...size]), Buffer.from(text)])
}

test('frames of every size are read whole, however the network cuts them up', () => {
  const texts = ['a', 'b'.repeat(125), 'c'.repeat(126), 'd'.repeat(70_000), '']
  const stream = Buffer.concat(texts.map(serverFrame))
  for (const size of [13, 1_000, stream.length]) {
    const read: string[] = []
    const feed = frameReader((opcode, payload) => {
      expect(opcode).toBe(OPCODE.text)
      read.push(payload.toString())
    })
    for (let at = 0; at < stream.length; at += size) {
      // The same buffer each time, as from a socket.
      const chunk = Buffer.from(stream.subarray(at, at + size))
      feed(chunk)
      chunk.fill(0)
    }
    expect(read).toEqual(texts)
  }
})

test("a client's frame is masked with zeros, and says its length in one byte or two", () => {
  expect([...clientFrame(OPCODE.pong, Buffer.from('hi'))]).toEqual([0x8a, 0x82, 0, 0, 0, 0, 104, 105])
  expect([...clientFrame(OPCODE.text, Buffer.alloc(300)).subarray(0, 4)]).toEqual([0x81, 0xfe, 1, 44])
})

const message =
  '{"offset":1,"type":"call.ringing","eventId":"e","callId":"c","occurredAt":1764000000123,"receivedAt":1}'

test.each([
  ['ours', `{"type":"events","epoch":"e","from":1,"to":12,"count":12,"sentAt":1,"oldestAt":1}\n${message}`, 12],
  ['ours', '{"type":"subscribed","patterns":["call.*"],"epoch":"e","offset":0,"recovered":true}', 0],
  ['plainWs', message, 1],
  ['plainWs', '{"type":"subscribed"}', 0],
  ['socketIo', `42["call",${message}]`, 1],
  ['socketIo', '40{"sid":"x"}', 0],
  [
    'centrifugo',
    `{"push":{"channel":"calls","pub":{"data":${message}}}}\n{"push":{"channel":"calls","pub":{"data":${message}}}}`,
    2,
  ],
  ['centrifugo', '{}', 0],
] as const)('%s: messages are counted without being read', (system, text, count) => {
  expect(PROTOCOLS[system].count(text)).toBe(count)
})

test('when each message was sent is read off its text', () => {
  expect(sentTimes(`x\n${message}\n${message}`)).toEqual([1_764_000_000_123, 1_764_000_000_123])
})

test('pings are answered in the words of each protocol', () => {
  expect(PROTOCOLS.socketIo.react('2')).toEqual({ send: '3' })
  expect(PROTOCOLS.centrifugo.react('{}')).toEqual({ send: '{}' })
  expect(PROTOCOLS.plainWs.react(message)).toBeUndefined()
})
