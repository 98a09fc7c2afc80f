/** A million calls leave an instance in one request, and it uses no more memory for the last of them than for the first. */

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get as httpGet, type IncomingMessage } from 'node:http'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seedCalls } from '../reporting/seed-calls.ts'
import { type ApiProcess, apiProcess } from './api-process.ts'
import { type Platform, runningPlatform, type Tenant } from './running-platform.ts'

const CALLS = 1_000_000
const MIB = 1_048_576
const SAMPLE_EVERY_MS = 100

let platform: Platform
let api: ApiProcess
let tenant: Tenant
beforeAll(async () => {
  platform = await runningPlatform(0)
  tenant = await platform.newTenant()
  await seedCalls(platform.query, tenant.id, CALLS)
  await platform.database.replicaCaughtUp()
  api = await apiProcess(platform, { LOG_LEVEL: 'fatal', EXPORT_SECONDS_MAX: '600' })
}, 300_000)
afterAll(async () => {
  api?.process.kill('SIGTERM')
  await platform.close()
})

const residentBytes = () => {
  const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${api.process.pid}/status`, 'utf8'))?.[1]
  return Number(kib) * 1024
}

type Read = {
  readonly lines: number
  readonly seconds: number
  readonly bytes: number
  readonly resident: readonly number[]
}

async function read(accept: string, query = ''): Promise<Read> {
  const headers = { [HEADERS.apiKey]: tenant.key, accept }
  const [response] = (await once(httpGet(`${api.url}${ROUTES.reportCalls}?${query}`, { headers }), 'response')) as [
    IncomingMessage,
  ]
  expect(response.statusCode).toBe(200)
  const resident: number[] = []
  const sampling = setInterval(() => resident.push(residentBytes()), SAMPLE_EVERY_MS)
  const startedAt = performance.now()
  let [lines, bytes] = [0, 0]
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, end + 1)) lines += 1
  }
  clearInterval(sampling)
  expect(response.complete).toBe(true)
  return { lines, bytes, resident, seconds: (performance.now() - startedAt) / 1000 }
}

test.runIf(process.platform === 'linux').each([
  ['text/csv', CALLS],
  ['application/x-ndjson', CALLS / 5],
] as const)(
  'memory is flat while calls leave as %s, %i in one request',
  { timeout: 600_000 },
  async (accept, count) => {
    // The heap first takes what garbage it is allowed; only then is a level to be seen.
    await read(accept, 'limit=50000')
    const before = residentBytes()
    const { lines, bytes, resident, seconds } = await read(accept, `limit=${count}`)
    expect(lines).toBe(count + (accept === 'text/csv' ? 1 : 0))
    const most = Math.max(...resident)
    const halves = [resident.slice(0, resident.length / 2), resident.slice(resident.length / 2)]
    const [first = 0, second = 0] = halves.map((half) => half.toSorted((a, b) => a - b)[Math.floor(half.length / 2)])
    const said = [before, first, second, most].map((level) => `${Math.round(level / MIB)} MiB`).join(', ')
    console.log(
      `${accept}: ${Math.round(bytes / MIB)} MiB in ${seconds.toFixed(1)} s; before, first half, second half, most: ${said}`,
    )
    expect(second - first, said).toBeLessThan(16 * MIB)
    // Garbage that has not been collected yet.
    expect(most - before, said).toBeLessThan(96 * MIB)
  },
)
