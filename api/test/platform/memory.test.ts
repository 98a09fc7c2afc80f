/** The parts of an instance's memory are filled, and it stays below its limit. */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { memoryBudget } from '../../src/config/memory-budget.ts'
import { type ApiProcess, apiProcess } from './api-process.ts'
import { anEvent, type Platform, runningPlatform, type Tenant } from './running-platform.ts'

const MIB = 1_048_576
const LIMIT = 512 * MIB
let platform: Platform
let api: ApiProcess
beforeAll(async () => {
  platform = await runningPlatform(0)
  api = await apiProcess(platform, { MEMORY_LIMIT_BYTES: String(LIMIT), LOG_LEVEL: 'fatal' })
})
afterAll(async () => {
  api?.process.kill('SIGTERM')
  await platform.close()
})

/** The most that the process ever used. */
const mostBytes = () => {
  const kib = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${api.process.pid}/status`, 'utf8'))?.[1]
  return Number(kib) * 1024
}

/** Announces a body of 1 MiB and sends all of it but the end. @returns what was answered by then, and the connection */
function almostAll({ key }: Tenant): { socket: Socket; answer(): string } {
  const { port } = new URL(api.url)
  const socket = connect(Number(port), '127.0.0.1').on('error', () => {})
  let answer = ''
  socket.on('data', (text) => {
    answer += text
  })
  socket.write(
    `POST ${ROUTES.callEvent} HTTP/1.1\r\nhost: x\r\nx-api-key: ${key}\r\ncontent-type: application/json\r\ncontent-length: ${MIB}\r\n\r\n`,
  )
  socket.write(Buffer.alloc(MIB - 1, ' '))
  return { socket, answer: () => answer }
}

test.runIf(process.platform === 'linux')(
  'bodies in flight keep to their part of the memory',
  async () => {
    const [flood, quiet] = [await platform.newTenant(), await platform.newTenant()]
    const { bodies } = memoryBudget(LIMIT)
    let fits = 0
    while ((fits + 1) * MIB <= 4 * (bodies - fits * MIB)) fits += 1
    const sent = Array.from({ length: 400 }, () => almostAll(flood))
    const refused = () => sent.filter(({ answer }) => answer().startsWith('HTTP/1.1 429')).length
    try {
      await waitUntil('the rest to be refused', () => refused() >= sent.length - fits, { timeoutMs: 30_000 })
      expect(refused()).toBe(sent.length - fits)
      const headers = { 'content-type': 'application/json', 'x-api-key': quiet.key }
      const body = JSON.stringify(anEvent('INITIATED'))
      expect((await fetch(api.url + ROUTES.callEvent, { method: 'POST', headers, body })).status).toBe(201)
      const metrics = await (await fetch(api.url + ROUTES.metrics)).text()
      expect(metrics).toContain(`${METRICS.rejected}{reason="over-share"} ${refused()}`)
    } finally {
      for (const { socket } of sent) socket.destroy()
    }
    expect(mostBytes()).toBeLessThan(LIMIT)
    // What was given up is free again.
    const again = almostAll(flood)
    again.socket.write('x')
    await waitUntil('an answer to the body', () => again.answer().startsWith('HTTP/1.1 400'), { timeoutMs: 10_000 })
    again.socket.destroy()
  },
  60_000,
)
