/** Sends one request at a time over one connection, each timed from its first byte sent to its last byte received. */
import { Agent, request } from 'node:http'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'

export type TimedAnswer = { readonly ms: number; readonly body: string }

export type TimedClient = {
  /** @throws {Failure} when the answer is not a success */
  get(path: string): Promise<TimedAnswer>
  close(): void
}

export function openTimedClient(port: number, headers: Readonly<Record<string, string>>): TimedClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    get: (path) =>
      new Promise((resolve, reject) => {
        const startedAt = performance.now()
        const sent = request({ host: '127.0.0.1', port, path, headers, agent }, (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            const ms = performance.now() - startedAt
            const body = Buffer.concat(chunks).toString()
            if (response.statusCode === 200) resolve({ ms, body })
            else reject(new Failure(`GET ${path} answered ${response.statusCode}: ${body.slice(0, 300)}`))
          })
        })
        sent.on('error', reject)
        sent.end()
      }),
    close: () => agent.destroy(),
  }
}
