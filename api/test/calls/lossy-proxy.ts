import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { type Between, listenBetween } from '../../../platform/machine/listen-between.ts'

/** Stands between a client and a real Postgres, and takes the connection away at the worst moment. */
export type LossyProxy = Between & {
  /** Keeps back the next answer that has this text in it, and cuts its connection instead. */
  loseNextAnswer(marker: string): void
  /** Answers lost so far. */
  lost(): number
  /** Cuts every connection and refuses new ones. */
  cut(): void
  mend(): void
}

export async function startLossyProxy(targetPort: number): Promise<LossyProxy> {
  let isCut = false
  let marker: string | undefined
  let lost = 0
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    if (isCut) return client.resetAndDestroy()
    const target = connect(targetPort, '127.0.0.1')
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    client.on('data', (bytes) => target.write(bytes))
    target.on('data', (bytes) => {
      if (marker === undefined || !bytes.includes(marker)) return client.write(bytes)
      marker = undefined
      lost += 1
      return client.resetAndDestroy()
    })
    return undefined
  })
  const between = await listenBetween(server, sockets)

  return {
    ...between,
    loseNextAnswer: (text) => {
      marker = text
    },
    lost: () => lost,
    cut: () => {
      isCut = true
      for (const socket of sockets) socket.resetAndDestroy()
    },
    mend: () => {
      isCut = false
    },
  }
}
