/** A small service to put under load, with metrics for Prometheus. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type Service = { readonly url: string; readonly port: number; requests(): number; close(): Promise<void> }

/** @param slowMs how long `/slow` takes at least, and `/warming-up` in its first two seconds */
export async function startService(slowMs = 40): Promise<Service> {
  let requests = 0
  let first: number | undefined
  const server = createServer(async (request, response) => {
    if (request.url === '/metrics') {
      response.setHeader('content-type', 'text/plain; version=0.0.4')
      return response.end(`shop_requests_total ${requests}\nshop_workers_busy 9\nshop_workers 10\n`)
    }
    requests += 1
    request.resume()
    if (request.url === '/slow') await sleep(slowMs)
    if (request.url === '/warming-up') {
      first ??= Date.now()
      if (Date.now() - first < 2_000) await sleep(slowMs)
    }
    response.statusCode = request.url === '/fail' ? 500 : 200
    if (request.url === '/redirect') response.writeHead(302, { location: '/slow' })
    response.end('ok')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests: () => requests,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
