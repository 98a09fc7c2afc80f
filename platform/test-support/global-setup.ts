/**
 * Vitest's global setup: a small server for all test workers that starts real Postgres pairs and Redis servers at the
 * first request. A run with only unit tests starts none. Everything is stopped when the run ends, or by the guard if the
 * run is killed.
 */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { createServices } from './services.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the server that starts servers, with its secret in the path. */
    services: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const services = createServices()
  const secret = randomBytes(16).toString('hex')
  const server = createServer((request, response) => {
    answer(request).then(
      (body) => response.end(JSON.stringify(body ?? {})),
      (error: Error) => response.writeHead(500).end(error.stack),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  project.provide('services', `http://127.0.0.1:${(server.address() as AddressInfo).port}/${secret}`)

  async function answer(request: IncomingMessage): Promise<unknown> {
    const [, given, verb = '', id = ''] = (request.url ?? '').split('/')
    if (given !== secret) throw new Error('this is not the address that was provided')
    const service = services.verbs[verb]
    if (service === undefined) throw new Error(`there is no service "${verb}"`)
    return service(id)
  }

  return async () => {
    server.close()
    await services.stop()
    rmSync(services.dir, { recursive: true, force: true })
  }
}
