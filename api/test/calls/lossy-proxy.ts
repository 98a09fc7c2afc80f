import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer } from 'node:net'

/** Stands between a client and a real Postgres, and takes the connection away at the worst moment. */
export type LossyProxy = {
  through(url: string): string
  /** Keeps back the next answer that has this text in it, and cuts its connection instead. */
  loseNextAnswer(marker: string): void
  /** Answers lost so far. */
  lost(): number
  /** Cuts every connection and refuses new ones. */
  cut(): void
  mend(): void
  close(): Promise<void>
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
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  return {
    through: (url) => {
      const through = new URL(url)
      through.port = String(port)
      return through.href
    },
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
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
