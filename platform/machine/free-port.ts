import { createServer } from 'node:net'

/** Below the kernel's ports for outgoing connections, which could take the port of a restarting server. */
const FIRST = 15_000
const LAST = 32_000
const ATTEMPTS = 100

/**
 * A port that nothing listens on at this moment. Another process may take it first, so the caller must be ready to ask
 * again.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST))
    if (await portIsFree(port, '0.0.0.0')) return port
  }
  throw new Error(`no port of ${ATTEMPTS} tried from ${FIRST} to ${LAST} is free`)
}

/** Whether a server could listen on this port now. A port with only closed connections counts as free. */
export function portIsFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}
