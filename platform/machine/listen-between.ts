import type { AddressInfo, Server, Socket } from 'node:net'

/** A server that stands between a client and a real one. */
export type Between = {
  /** The same URL, through the proxy. */
  through(url: string): string
  close(): Promise<void>
}

/** Lets a proxy listen on a free port. @param sockets the open sockets of both sides; `close` destroys them */
export async function listenBetween(proxy: Server, sockets: ReadonlySet<Socket>): Promise<Between> {
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const { port } = proxy.address() as AddressInfo
  return {
    through: (url) => {
      const through = new URL(url)
      through.port = String(port)
      return through.href
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => proxy.close(() => resolve()))
    },
  }
}
