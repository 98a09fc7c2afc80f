/** Forwards a local port to a pod, like `kubectl port-forward`. */

import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import { PortForward } from '@kubernetes/client-node'
import type { Cluster } from './connect.ts'

export type Tunnel = {
  /** On 127.0.0.1. */
  readonly port: number
  close(): void
}

/** Each local connection opens one to the pod; it is closed at once if that fails. */
export async function openTunnel({ config, namespace }: Cluster, pod: string, port: number): Promise<Tunnel> {
  const forward = new PortForward(config)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
    forward
      .portForward(namespace, pod, [port], socket, null, socket)
      .then((connection) => {
        const webSocket = typeof connection === 'function' ? connection() : connection
        const end = () => webSocket?.close()
        if (socket.destroyed) end()
        socket.once('close', end)
        webSocket?.on('close', () => socket.destroy())
        webSocket?.on('error', () => socket.destroy())
      })
      .catch(() => socket.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
