import { createServer } from 'node:net'

/** Below what the kernels hand out to outgoing connections, one of which could take the port of a server that restarts. */
const FIRST = 15_000
const LAST = 32_000
const ATTEMPTS = 100

/**
 * A port that nothing listens on at this moment. Another process may take it before its user does, so whoever starts
 * a server on it must be ready to ask again.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST))
    if (await portIsFree(port, '0.0.0.0')) return port
  }
  throw new Error(`no port of ${ATTEMPTS} tried from ${FIRST} to ${LAST} is free`)
}

/** Whether something could listen on this port now; a port that only ended connections still hold counts as free. */
export function portIsFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}
