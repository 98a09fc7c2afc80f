/** The load generator: a process that sends requests over raw connections, with as little CPU as possible in Node. */
import { setTimeout as sleep } from 'node:timers/promises'
import { runAsChild } from '@hopwhistle/platform/child/run-as-child.ts'
import { latencyOf } from '../arithmetic.ts'
import { connectHttp, type HttpConnection } from './http-connection.ts'
import type { GeneratorConfig, Load, LoadResult } from './load.ts'
import { requestsOf } from './requests.ts'

const PATIENCE_MS = 10_000

runAsChild(async ({ ports, connections, plan }: GeneratorConfig) => {
  const request = requestsOf(plan)
  let next = 0
  let current: Running | undefined
  const clients = await Promise.all(
    Array.from({ length: connections }, async (_, i) => {
      const client: Client = { sentAt: 0, number: -1, connection: undefined as unknown as HttpConnection }
      client.connection = await connectHttp(
        ports[i % ports.length]!,
        (status) => current?.answered(client, status),
        (error) => current?.lost(client, error),
      )
      return client
    }),
  )

  async function run(load: Load): Promise<LoadResult> {
    const first = next
    const latencies: number[] = []
    const failed: number[] = []
    const failures: Record<string, number> = {}
    const failureLatencies: Record<string, number[]> = {}
    const free = [...clients]
    /** When requests were due for which no connection was free. */
    const due: number[] = []
    const startedAt = performance.now()
    const until = startedAt + load.seconds * 1000
    let underWay = 0
    let scheduled = 0
    const cpuBefore = process.cpuUsage()

    const send = (client: Client, dueAt: number) => {
      client.sentAt = dueAt
      client.number = next
      underWay += 1
      client.connection.send(request(next++))
    }
    const fail = (client: Client, what: string) => {
      failed.push(client.number)
      failures[what] = (failures[what] ?? 0) + 1
    }
    current = {
      answered: (client, status) => {
        const now = performance.now()
        underWay -= 1
        if (status >= 200 && status < 300) latencies.push(now - client.sentAt)
        else {
          fail(client, String(status))
          failureLatencies[status] ??= []
          failureLatencies[status].push(now - client.sentAt)
        }
        client.number = -1
        if (load.mode === 'closed') {
          if (now < until) send(client, now)
        } else {
          const dueAt = due.shift()
          if (dueAt === undefined) free.push(client)
          else send(client, dueAt)
        }
      },
      lost: (client, error) => {
        if (client.number < 0) return
        underWay -= 1
        fail(client, error.message)
        client.number = -1
      },
    }
    if (load.mode === 'closed') {
      for (const client of clients) send(client, startedAt)
      await sleep(load.seconds * 1000)
    } else {
      const everyMs = 1000 / load.ratePerSecond
      const total = Math.round(load.seconds * load.ratePerSecond)
      await new Promise<void>((resolve) => {
        const timer = setInterval(() => {
          const now = performance.now()
          for (; scheduled < total && startedAt + scheduled * everyMs <= now; scheduled++) {
            const dueAt = startedAt + scheduled * everyMs
            const client = free.shift()
            if (client === undefined) due.push(dueAt)
            else send(client, dueAt)
          }
          if (scheduled === total) resolve(clearInterval(timer))
        }, 1)
      })
    }
    const patience = performance.now() + (load.patienceMs ?? PATIENCE_MS)
    while ((underWay > 0 || due.length > 0) && performance.now() < patience) await sleep(1)
    const seconds = (performance.now() - startedAt) / 1000
    if (due.length > 0) throw new Error(`${due.length} requests were due that no connection was free for until the end`)
    for (const client of clients) if (client.number >= 0) fail(client, 'no answer')
    const { user, system } = process.cpuUsage(cpuBefore)
    return {
      first,
      next,
      answered: latencies.length,
      failed,
      failures,
      failureLatency: Object.fromEntries(
        Object.entries(failureLatencies).map(([status, ms]) => [status, latencyOf(ms)]),
      ),
      seconds,
      perSecond: latencies.length / seconds,
      latency: latencies.length === 0 ? NONE : latencyOf(latencies),
      generatorCpuSeconds: (user + system) / 1e6,
    }
  }
  return { ready: {}, answer: run }
})

const NONE = { p50Ms: Number.NaN, p95Ms: Number.NaN, p99Ms: Number.NaN, maxMs: Number.NaN }

type Client = { sentAt: number; number: number; connection: HttpConnection }
type Running = { answered(client: Client, status: number): void; lost(client: Client, error: Error): void }
