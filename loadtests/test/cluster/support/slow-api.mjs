/**
 * What the load tests need of an API, and nothing more, as a pod of its own: takes events and answers when a random,
 * now and then long, time is over; under /slow after twice the time that is the target of most, under /stuck after longer
 * than its callers have virtual users to wait.
 */
import { createServer } from 'node:http'

const delayMs = (url) => {
  if (url.startsWith('/stuck/')) return 5_000
  return url.startsWith('/slow/') ? 600 : 2 + Math.random() ** 8 * 400
}

createServer((request, response) => {
  request.resume()
  request.once('end', () => {
    if (request.url === '/metrics') return response.writeHead(404).end()
    const isEvent = request.method === 'POST'
    setTimeout(
      () => response.end(JSON.stringify(isEvent ? { outcome: 'applied' } : { calls: [] })),
      isEvent ? delayMs(request.url) : 0,
    )
  })
}).listen(3001)

process.once('SIGTERM', () => process.exit(0))
