/** Socket.IO with its Redis adapter, as its documentation sets it up; WebSockets only, without compression. */

import { runAsChild } from '@hopwhistle/platform/child/run-as-child.ts'
import { createAdapter } from '@socket.io/redis-adapter'
import { Redis } from 'ioredis'
import { Server } from 'socket.io'
import type { LivePeerConfig } from './plain-ws.ts'
import { listen, servePublishing } from './publish-route.ts'
import type { ServerReady } from './stores-nothing.ts'

runAsChild(async ({ redisUrl }: LivePeerConfig) => {
  const publisher = new Redis(redisUrl, { enableAutoPipelining: true })
  const subscriber = new Redis(redisUrl)
  const server = servePublishing((message) => io.emit('call', message))
  const io = new Server(server, {
    adapter: createAdapter(publisher, subscriber),
    transports: ['websocket'],
    perMessageDeflate: false,
    serveClient: false,
  })
  return { ready: { port: await listen(server) } satisfies ServerReady }
})
