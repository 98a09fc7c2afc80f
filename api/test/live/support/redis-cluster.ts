import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { freePort } from '../../../../loadtests/bench/lib/free-port.ts'
import { waitUntil } from '../../../../loadtests/bench/lib/wait-until.ts'

const SLOTS = 16_384

/** A Redis Cluster of three primaries on this machine, with nothing on disk; stopped when the test ends. */
export async function redisCluster(): Promise<{ readonly nodes: string; readonly ports: readonly number[] }> {
  const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-cluster-'))
  const ports = await Promise.all([freePort(), freePort(), freePort()])
  const servers = ports.map((port) => {
    const own = join(dir, String(port))
    mkdirSync(own)
    // The bus's port is the client's plus 10,000 by default, which may be taken or none at all.
    const busPort = port > 50_000 ? port - 20_000 : port + 10_000
    const settings = { port, dir: own, save: '', 'cluster-enabled': 'yes', 'cluster-port': busPort, bind: '127.0.0.1' }
    return spawn(
      'redis-server',
      Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
      { stdio: 'ignore' },
    )
  })
  onTestFinished(() => {
    for (const server of servers) server.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  })
  const clients = ports.map((port) => new Redis({ port, host: '127.0.0.1' }))
  for (const client of clients) client.on('error', () => {})
  try {
    const share = Math.ceil(SLOTS / ports.length)
    for (const [i, client] of clients.entries()) {
      await client.call('CLUSTER', 'ADDSLOTSRANGE', String(i * share), String(Math.min(SLOTS, (i + 1) * share) - 1))
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1))
      const bus = ports[0]! > 50_000 ? ports[0]! - 20_000 : ports[0]! + 10_000
      if (i > 0) await client.call('CLUSTER', 'MEET', '127.0.0.1', String(ports[0]), String(bus))
    }
    const nodes = ports.map((port) => `127.0.0.1:${port}`).join(',')
    for (const client of clients) {
      await waitUntil(
        'the cluster to form',
        async () => String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok'),
        { timeoutMs: 20_000, everyMs: 50 },
      )
    }
    return { nodes, ports }
  } finally {
    for (const client of clients) client.disconnect()
  }
}
