import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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

  test('an answer that the document does not name is found', { timeout: 60_000 }, async () => {
    const paths = { '/health': { get: { responses: { 200: { description: 'ok' } } } } }
    const document = { openapi: '3.1.0', info: { title: 'x', version: '1' }, paths }
    const server = createServer(({ url }, response) => {
      response.statusCode = url === '/openapi.json' ? 200 : 500
      response.setHeader('content-type', 'application/json').end(JSON.stringify(document))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const outcome = await runSchemathesis({ command: command!, apiUrl, seed: 1, examples: 2 })
    server.close()
    expect(outcome.failures).toBeGreaterThan(0)
    expect(outcome.report).toContain('Server error')
  })
})

test('the command says what it takes', async () => {
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
