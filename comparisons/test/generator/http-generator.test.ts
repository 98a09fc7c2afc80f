import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startChild } from '@hopwhistle/platform/child/start-child.ts'
import { expect, onTestFinished, test } from 'vitest'
import { callEvent } from '../../generator/call-events.ts'
import type { GeneratorConfig, Load, LoadResult } from '../../generator/load.ts'

const GENERATOR = new URL('../../generator/http-load.ts', import.meta.url)

async function generator(answer: (response: ServerResponse, body: string) => void, connections = 4) {
  const server: Server = createServer((request, response) => {
    let body = ''
    request.on('data', (text) => (body += text)).on('end', () => answer(response, body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => server.close().closeAllConnections())
  const plan = {
    kind: 'events',
    path: '/',
    headers: {},
    run: 'test',
    runStartedAtMs: Date.now(),
    occurred: 'earlier',
  } as const
  const config: GeneratorConfig = { ports: [(server.address() as AddressInfo).port], connections, plan }
  const child = await startChild('generator', GENERATOR, config)
  onTestFinished(child.stop)
  return (load: Load) => child.ask<LoadResult>(load)
}

const ok = (response: ServerResponse) => void response.writeHead(201, { 'content-length': 2 }).end('{}')

test('every event of a thousand calls is another one, and every call goes through its four states', () => {
  const events = Array.from({ length: 8_000 }, (_, n) => callEvent('run', n, n))
  expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(8_000)
  const calls = Map.groupBy(events, ({ callId }) => callId)
  expect(calls.size).toBe(2_000)
  for (const ofCall of calls.values()) {
    expect(ofCall.map(({ state }) => state)).toEqual(['INITIATED', 'RINGING', 'ANSWERED', 'COMPLETED'])
  }
})

test('the numbers of requests go on from load to load, and what the server got is what was sent', async () => {
  const got: string[] = []
  const run = await generator((response, body) => {
    got.push(JSON.parse(body).eventId)
    ok(response)
  })
  const first = await run({ mode: 'closed', seconds: 0.2 })
  const second = await run({ mode: 'closed', seconds: 0.2 })
  expect(first).toMatchObject({ first: 0, failed: [], failures: {} })
  expect(second.first).toBe(first.next)
  expect(second.answered).toBe(second.next - second.first)
  expect(got.toSorted()).toEqual(
    Array.from({ length: second.next }, (_, n) => callEvent('test', n, 0).eventId).toSorted(),
  )
})

test('an answer that is no success is counted, with the number of its request', async () => {
  let n = 0
  const run = await generator(
    (response) => (n++ === 3 ? response.writeHead(503, { 'content-length': 0 }).end() : ok(response)),
    1,
  )
  const { failed, failures, answered, next } = await run({ mode: 'open', seconds: 0.2, ratePerSecond: 100 })
  expect({ failed, failures, answered, next }).toEqual({ failed: [3], failures: { 503: 1 }, answered: 19, next: 20 })
})

test('at a rate, a server that is slow for a moment is slow for everything that was due meanwhile', async () => {
  let n = 0
  const run = await generator((response) => (n++ === 10 ? setTimeout(() => ok(response), 200) : ok(response)), 1)
  const { answered, latency } = await run({ mode: 'open', seconds: 0.5, ratePerSecond: 100 })
  expect(answered).toBe(50)
  expect(latency.maxMs).toBeGreaterThan(190)
  // About twenty requests were due in those 200 ms: many late ones, not one outlier.
  expect(latency.p95Ms).toBeGreaterThan(100)
})

test('a server that never answers makes the load fail instead of looking idle', async () => {
  const run = await generator(() => {}, 1)
  await expect(run({ mode: 'open', seconds: 0.1, ratePerSecond: 100, patienceMs: 200 })).rejects.toThrow(
    '9 requests were due',
  )
})
