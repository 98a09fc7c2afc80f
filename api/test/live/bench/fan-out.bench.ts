/**
 * What a live delivery costs: CPU seconds of all API instances for a million deliveries, and of Redis.
 *
 *   node api/test/live/bench/fan-out.bench.ts [--tick=20] [--seconds=8] [--sockets=200] [--rate=500] [--instances=3]
 *
 * Instances, publishers in them, and readers (raw sockets that only count) are processes of their own, as in the
 * load test, but without Postgres, HTTP and k6.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { startRedis } from '../../../../platform/stack/redis-server.ts'

const { values } = parseArgs({
  options: {
    tick: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '8' },
    sockets: { type: 'string', default: '200' },
    rate: { type: 'string', default: '500' },
    instances: { type: 'string', default: '3' },
  },
})
const [tick, seconds, sockets, rate, count] = [
  values.tick,
  values.seconds,
  values.sockets,
  values.rate,
  values.instances,
].map(Number) as [number, number, number, number, number]

type Usage = {
  cpuSeconds: number
  systemSeconds: number
  delivered?: number
  frames?: number
  lateMs?: number[]
  delays?: Record<string, number>
}
const script = (name: string) => new URL(`./${name}.ts`, import.meta.url)
const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-bench-'))
const redis = await startRedis({ dir })
const client = new Redis(redis.url)
const redisCpu = async () => {
  const info = await client.info('cpu')
  return Number(/used_cpu_sys:([\d.]+)/.exec(info)?.[1]) + Number(/used_cpu_user:([\d.]+)/.exec(info)?.[1])
}

const instances = Array.from({ length: count }, () => fork(script('instance'), [redis.url, String(tick)]))
try {
  const ports = await Promise.all(
    instances.map(async (child) => ((await once(child, 'message')) as [{ port: number }])[0].port),
  )
  const readers = fork(script('readers'), [String(sockets), ...ports.map(String)])
  instances.push(readers)
  await once(readers, 'message')
  const ask = async (what: (index: number) => unknown) =>
    Promise.all(
      instances.map(async (child, i) => {
        const answer = once(child, 'message') as Promise<[Usage]>
        child.send(what(i) as string)
        return (await answer)[0]
      }),
    )
  await ask((first) => ({ publish: { runId: 'bench', first, step: count, ratePerSecond: rate } }))
  await sleep(2_000)
  const redisBefore = await redisCpu()
  const before = await ask(() => 'usage')
  await sleep(seconds * 1_000)
  const after = await ask(() => 'usage')
  const redisAfter = await redisCpu()

  const delivered = after.at(-1)!.delivered! - before.at(-1)!.delivered!
  const frames = after.at(-1)!.frames! - before.at(-1)!.frames!
  const cpu = after.slice(0, -1).reduce((sum, usage, i) => sum + usage.cpuSeconds - before[i]!.cpuSeconds, 0)
  const system = after.slice(0, -1).reduce((sum, usage, i) => sum + usage.systemSeconds - before[i]!.systemSeconds, 0)
  const perMillion = (value: number) => ((value / delivered) * 1e6).toFixed(2)
  const late = after.at(-1)!.lateMs!.sort((a, b) => a - b)
  const at = (q: number) => late[Math.floor(late.length * q)]?.toFixed(0)
  console.log(
    `tick ${tick} ms, ${count} instances: ${Math.round(delivered / seconds)}/s delivered in ${Math.round(frames / seconds)} frames/s; ` +
      `CPU s per million: API ${perMillion(cpu)} (kernel ${perMillion(system)}), Redis ${perMillion(redisAfter - redisBefore)}; ` +
      `API ${((cpu / seconds) * 100).toFixed(0)} % of a core; latency ms p50 ${at(0.5)} p95 ${at(0.95)} p99 ${at(0.99)}`,
  )
} finally {
  for (const child of instances) child.disconnect()
  client.disconnect()
  await redis.stop()
  rmSync(dir, { recursive: true, force: true })
}
