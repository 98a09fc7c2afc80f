import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { listenBetween } from '../../../platform/machine/listen-between.ts'

/** One address of the platform, as a load balancer is: new connections go to the instance that it is set to. */
export async function relay(url: string) {
  const sockets = new Set<Socket>()
  let port: number | undefined = Number(new URL(url).port)
  const server = createServer((client) => {
    if (port === undefined) return client.resetAndDestroy()
    const target = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.end()
      })
      from.pipe(to)
    }
    return undefined
  })
  const between = await listenBetween(server, sockets)
  onTestFinished(() => between.close())
  return {
    url: between.through(url).replace(/\/$/, ''),
    /** To nobody: connections are reset, new ones at once. */
    to: (other: string | undefined) => {
      port = other === undefined ? undefined : Number(new URL(other).port)
      if (other === undefined) for (const socket of sockets) socket.resetAndDestroy()
    },
  }
}
