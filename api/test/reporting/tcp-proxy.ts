import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { type Between, listenBetween } from '../../../loadtests/bench/lib/listen-between.ts'

/**
 * Stands between a client and a real server, so that a test can take the way between them away.
 *
 *   open     passes everything on
 *   cut      connections are reset, new ones at once
 *   stalled  nothing passes and nothing is closed, as when a machine loses power
 */
export type TcpProxy = Between & {
  set(state: 'open' | 'cut' | 'stalled'): void
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  let state: 'open' | 'cut' | 'stalled' = 'open'
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    if (state === 'cut') return client.resetAndDestroy()
    const target = connect(targetPort, '127.0.0.1')
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.on('data', (bytes) => to.write(bytes))
      if (state === 'stalled') from.pause()
    }
    return undefined
  })
  const between = await listenBetween(server, sockets)

  return {
    ...between,
    set: (next) => {
      state = next
      for (const socket of sockets) {
        if (next === 'cut') socket.resetAndDestroy()
        else if (next === 'stalled') socket.pause()
        else socket.resume()
      }
    },
  }
}
