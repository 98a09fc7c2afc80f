/** A simple server: `ws`, Redis pub/sub between instances, and a frame for each message to each subscriber. */

import { runAsChild } from '@hopwhistle/platform/child/run-as-child.ts'
import { Redis } from 'ioredis'
import { WebSocketServer } from 'ws'
import { listen, servePublishing } from './publish-route.ts'
import type { ServerReady } from './stores-nothing.ts'

export type LivePeerConfig = { readonly redisUrl: string }

const CHANNEL = 'calls'

runAsChild(async ({ redisUrl }: LivePeerConfig) => {
  const publisher = new Redis(redisUrl, { enableAutoPipelining: true })
  const subscriber = new Redis(redisUrl)
  const server = servePublishing((message) => publisher.publish(CHANNEL, JSON.stringify(message)))
  const sockets = new WebSocketServer({ server, perMessageDeflate: false })
  // A client subscribes by a message. The answer says that it receives everything from now on.
  sockets.on('connection', (socket) => socket.on('message', () => socket.send('{"type":"subscribed"}')))
  subscriber.on('message', (_, message) => {
    for (const socket of sockets.clients) socket.send(message)
  })
  await subscriber.subscribe(CHANNEL)
  return { ready: { port: await listen(server) } satisfies ServerReady }
})
