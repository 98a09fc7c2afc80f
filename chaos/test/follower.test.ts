import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { waitUntil } from '../../platform/lib/wait-until.ts'
import { startFollower } from '../load/follower.ts'

/** A server that sends these frames to its first client, whatever that one asks. */
async function follow(...frames: readonly string[]) {
  const http = createServer()
  const sockets = new WebSocketServer({ server: http, handleProtocols: () => 'hopwhistle.v1' })
  // A client that reconnects, for example after a protocol error, receives nothing more.
  sockets.once('connection', (socket) =>
    socket.on('message', () => {
      for (const frame of frames) socket.send(frame)
    }),
  )
  await once(http.listen(0, '127.0.0.1'), 'listening')
  const follower = startFollower(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, 'key')
  onTestFinished(() => {
    follower.stop()
    sockets.close()
    http.close()
  })
  await follower.subscribed
  return follower
}

const subscribed = JSON.stringify({ type: 'subscribed', epoch: 'e', offset: 5, recovered: true })
const events = (from: number, to: number, ...ids: readonly string[]) =>
  [
    JSON.stringify({ type: 'events', epoch: 'e', from, to, count: ids.length }),
    ...ids.map((eventId, i) => JSON.stringify({ offset: from + i, eventId })),
  ].join('\n')

test('a follower accepts a server that leaves nothing out', async () => {
  const follower = await follow(subscribed, events(6, 7, 'a', 'b'), events(8, 8, 'c'))
  await waitUntil('three messages', () => follower.figures().received.size === 3, { timeoutMs: 5_000 })
  expect(follower.figures()).toMatchObject({ broken: [], toldGaps: 0, lostConnections: 0 })
})

test.each([
  ['a gap in silence', events(7, 7, 'a'), 'a frame from 7 after offset 5'],
  ['a repeated message', `${events(6, 7, 'a', 'a')}`, 'a came again'],
  ['another epoch, unannounced', events(6, 6, 'a').replace('"e"', '"f"'), 'a frame of epoch f, unannounced'],
  ['a wrong count', events(6, 6, 'a').replace('"count":1', '"count":2'), '1 messages in a frame of 2'],
])('a follower finds %s', async (_, frame, found) => {
  const follower = await follow(subscribed, frame)
  await waitUntil('the fault', () => follower.figures().broken.length > 0, { timeoutMs: 5_000 })
  expect(follower.figures().broken).toEqual([found])
})

test('a follower that is notified of a gap continues from there', async () => {
  const reset = JSON.stringify({ type: 'reset', epoch: 'f', offset: 0, recovered: false })
  const follower = await follow(subscribed, reset, events(1, 1, 'a').replace('"e"', '"f"'))
  await waitUntil('the message', () => follower.figures().received.size === 1, { timeoutMs: 5_000 })
  expect(follower.figures()).toMatchObject({ broken: [], toldGaps: 1 })
})
