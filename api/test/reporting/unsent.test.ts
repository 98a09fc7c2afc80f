import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { createUnsent } from '../../src/reporting/unsent.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'

const MIB = 1_048_576

test('answers that nobody reads keep to a budget; one that several are sent counts once, and what has left is free', async () => {
  const unsent = createUnsent(100 * MIB, createMetrics())
  const responses: ServerResponse[] = []
  const server = createServer((_request, response) => void responses.push(response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  /** Asks and does not read. */
  async function ask(): Promise<{ response: ServerResponse; socket: Socket }> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').pause()
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    const count = responses.length
    await waitUntil('the request', () => responses.length > count, { timeoutMs: 5_000 })
    return { response: responses.at(-1)!, socket }
  }
  async function send(tenantId: string, body: Buffer): Promise<Socket> {
    const { response, socket } = await ask()
    unsent.take(tenantId, body, response)
    response.end(body)
    return socket
  }
  const shared = Buffer.alloc(40 * MIB)
  for (let reader = 0; reader < 4; reader++) await send('flood', shared)
  const own = await send('flood', Buffer.alloc(38 * MIB))
  await expect(send('flood', Buffer.alloc(11 * MIB))).rejects.toMatchObject({ code: 'over-share', status: 429 })
  await send('quiet', Buffer.alloc(10 * MIB))
  await expect(send('third', Buffer.alloc(20 * MIB))).rejects.toMatchObject({ code: 'memory', status: 503 })
  // What a streamed answer holds is of the same budget.
  expect(() => unsent.hold('third', 20 * MIB, responses.at(-1)!)).toThrow(expect.objectContaining({ code: 'memory' }))
  own.destroy()
  const isFree = () => {
    try {
      unsent.take('third', Buffer.alloc(20 * MIB), responses.at(-1)!)
      return true
    } catch {
      return false
    }
  }
  await waitUntil('room', isFree, { timeoutMs: 5_000 })
})
