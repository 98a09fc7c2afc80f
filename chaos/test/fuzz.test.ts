import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Platform, runningPlatform, type Tenant } from '../../api/test/platform/running-platform.ts'
import { LIMITS } from '../../contract/limits.ts'
import { lookForSchemathesis } from '../fuzz/find-schemathesis.ts'
import { runSchemathesis } from '../fuzz/run-schemathesis.ts'

const command = lookForSchemathesis()
const missing = command === undefined ? ' (skipped: schemathesis is missing; `npm run fuzz` installs it)' : ''

describe.skipIf(command === undefined)(`made-up requests${missing}`, () => {
  let platform: Platform
  let acme: Tenant
  beforeAll(async () => {
    platform = await runningPlatform(1, { [LIMITS.tenant_rate.env]: '1000000' })
    acme = await platform.newTenant()
  })
  afterAll(() => platform.close())

  test.each([
    ['with a key', true],
    ['without a key', false],
  ])('%s are each answered as the document says', { timeout: 120_000 }, async (_, withKey) => {
    const apiUrl = platform.instances[0]!.url
    const key = withKey ? { apiKey: acme.key } : {}
    const outcome = await runSchemathesis({ command: command!, apiUrl, ...key, seed: 1, examples: 5 })
    expect(outcome.report.slice(0, 5_000)).not.toContain('- ST')
    expect(outcome.failures).toBe(0)
    expect(outcome.cases).toBeGreaterThan(200)
  })

  test('each kind of wrong answer is found, and no right answer is reported', { timeout: 120_000 }, async () => {
    const apiUrl = await wrongInEveryWay()
    const { report } = await runSchemathesis({ command: command!, apiUrl, apiKey: 'key', seed: 1, examples: 5 })
    const found = report.split(/^_+ (?=[A-Z]+ \/)/m).slice(1)
    const kinds = found.map((text) => [
      text.split(' _')[0],
      [...text.matchAll(/^- ST\d+ (.+)$/gm)].map(([, kind]) => kind),
    ])
    expect(Object.fromEntries(kinds)).toEqual({
      'GET /error': expect.arrayContaining(['Server error']),
      'GET /status': expect.arrayContaining(['Undocumented status code']),
      'GET /type': ['Undocumented Content-Type'],
      'GET /schema': ['Response violates schema'],
      'GET /takes-wrong': ['Schema-violating request accepted'],
      'GET /refuses-right': ['Schema-valid request rejected'],
      'GET /header': expect.arrayContaining(['Missing required header accepted']),
      'GET /open': expect.arrayContaining(['API accepts requests without authentication']),
      'TRACE /method': ['Wrong response to undeclared method'],
    })
  })
})

/** Routes that break one promise each, as their names say, and one that breaks none. */
async function wrongInEveryWay(): Promise<string> {
  const refused = { description: 'no' }
  const answer = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }
  const taken = { description: 'yes', content: { 'application/json': { schema: answer } } }
  const get = (more: object = {}) => ({
    get: { responses: { 200: taken, 400: refused, 401: refused, 405: refused }, ...more },
  })
  const n = { name: 'n', in: 'query', required: true, schema: { type: 'integer', minimum: 1, maximum: 9 } }
  const needed = { name: 'x-needed', in: 'header', required: true, schema: { type: 'string', pattern: '^[a-z]+$' } }
  const document = {
    openapi: '3.1.0',
    info: { title: 'wrong in every way', version: '1' },
    components: { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'x-api-key' } } },
    paths: {
      '/right': get(),
      '/error': get(),
      '/status': get(),
      '/type': get(),
      '/schema': get(),
      '/takes-wrong': get({ parameters: [n] }),
      '/refuses-right': get({ parameters: [n] }),
      '/header': get({ parameters: [needed] }),
      '/open': get({ security: [{ key: [] }] }),
      '/method': get(),
    },
  }
  const answers: Record<string, [status: number, body: object, type?: string]> = {
    '/openapi.json': [200, document],
    '/error': [500, {}],
    '/status': [418, {}],
    '/type': [200, { n: 1 }, 'text/plain'],
    '/schema': [200, { n: 'one' }],
    '/refuses-right': [400, {}],
  }
  const server = createServer(({ url, method }, response) => {
    const { pathname } = new URL(url ?? '/', 'http://server')
    const allowed = method === 'GET' || pathname === '/method'
    const [status, body, type] = allowed ? (answers[pathname] ?? [200, { n: 1 }]) : [405, {}]
    response.writeHead(status, { 'content-type': type ?? 'application/json', allow: 'GET' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('the command prints its options', async () => {
  const fuzz = (...args: string[]) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) =>
      execFile(process.execPath, [fileURLToPath(new URL('../fuzz.ts', import.meta.url)), ...args], (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      ),
    )
  expect(await fuzz('--help')).toMatchObject({ code: 0, out: expect.stringContaining('--cases N') })
  expect(await fuzz('--cases', 'many')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^--cases is "many"; it must be a whole number/),
  })
})
