import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { waitUntil } from '../../../../platform/lib/wait-until.ts'
import { freePort } from '../../../../platform/machine/free-port.ts'
import { redisAnswers } from '../../../../platform/stack/redis-server.ts'

const SLOTS = 16_384
const PRIMARIES = 3
/** Silence after which the others take a node for dead; half of it is how often news are passed on. */
const NODE_TIMEOUT_MS = 2_000
const START_ATTEMPTS = 5

export type RedisCluster = {
  /** As in REDIS_CLUSTER_NODES. */
  readonly nodes: string
  readonly ports: readonly number[]
  /** The nodes that answer for a key: the primary and what replicates it. Asks a node that runs. */
  shardOf(key: string): Promise<Shard>
}

export type Shard = { readonly primary: ClusterServer; readonly replicas: readonly ClusterServer[] }

export type ClusterServer = {
  readonly port: number
  /** Where the nodes talk to each other. */
  readonly busPort: number
  /** As a signal from outside; `SIGSTOP` makes it hang until `SIGCONT`. */
  signal(name: NodeJS.Signals): void
  /** Sends one command over a connection of its own. */
  ask(...command: readonly [string, ...string[]]): Promise<unknown>
}

/** A Redis Cluster of three primaries on this machine, with nothing on disk; stopped when the test ends. */
export async function redisCluster({ replicasEach = 0 } = {}): Promise<RedisCluster> {
  const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-cluster-'))
  const servers: ClusterServer[] = []
  const processes: ChildProcess[] = []
  onTestFinished(() => {
    for (const each of processes) each.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  })
  for (let i = 0; i < PRIMARIES * (1 + replicasEach); i++) {
    servers.push(await startServer(dir, (running) => processes.push(running)))
  }
  await form(servers)
  return {
    nodes: servers.map(({ port }) => `127.0.0.1:${port}`).join(','),
    ports: servers.map(({ port }) => port),
    shardOf: async (key) => {
      const slot = Number(await servers[0]!.ask('CLUSTER', 'KEYSLOT', key))
      const ranges = (await servers[0]!.ask('CLUSTER', 'SLOTS')) as [number, number, ...[string, number][]][]
      const [, , ...nodes] = ranges.find(([from, to]) => from <= slot && slot <= to)!
      const [primary, ...replicas] = nodes.map(([, port]) => servers.find((server) => server.port === port)!)
      return { primary: primary!, replicas }
    },
  }
}

/** @param onStart told of every process, also of one that finds its ports taken by somebody else meanwhile */
async function startServer(dir: string, onStart: (running: ChildProcess) => void): Promise<ClusterServer> {
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    const [port, busPort] = [await freePort(), await freePort()]
    const running = startNode(port, busPort, dir)
    onStart(running)
    const hasEnded = () => running.exitCode !== null
    const answersOrEnded = async () => hasEnded() || (await redisAnswers(port, running.pid!))
    await waitUntil(`a Redis on port ${port} to answer`, answersOrEnded, soon)
    if (hasEnded()) continue
    return { port, busPort, signal: (name) => running.kill(name), ask: (...command) => askNode(port, command) }
  }
  throw new Error(`a Redis found its ports taken ${START_ATTEMPTS} times`)
}

function startNode(port: number, busPort: number, dir: string): ChildProcess {
  const own = join(dir, String(port))
  mkdirSync(own)
  const settings = {
    port,
    dir: own,
    bind: '127.0.0.1',
    save: '',
    'cluster-enabled': 'yes',
    // The client's plus 10,000 by default, which may be taken or none at all.
    'cluster-port': busPort,
    'cluster-node-timeout': NODE_TIMEOUT_MS,
    'repl-diskless-sync-delay': 0,
    // A replica is known to be one once it has heard something of its primary.
    'repl-ping-replica-period': 1,
    // A tenant whose primary has no replica is away; the others go on.
    'cluster-require-full-coverage': 'no',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
  return spawn('redis-server', args, { stdio: 'ignore' })
}

async function form(servers: readonly ClusterServer[]): Promise<void> {
  const [primaries, replicas] = [servers.slice(0, PRIMARIES), servers.slice(PRIMARIES)]
  const share = Math.ceil(SLOTS / PRIMARIES)
  for (const [i, server] of servers.entries()) await server.ask('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1))
  for (const [i, server] of primaries.entries()) {
    const last = Math.min(SLOTS, (i + 1) * share) - 1
    await server.ask('CLUSTER', 'ADDSLOTSRANGE', String(i * share), String(last))
  }
  await waitUntil('the nodes to meet', () => meet(servers), { timeoutMs: 20_000, everyMs: 300 })
  for (const [i, replica] of replicas.entries()) {
    const id = String(await primaries[i % PRIMARIES]!.ask('CLUSTER', 'MYID'))
    await waitUntil('the nodes to know each other', () => replica.ask('CLUSTER', 'REPLICATE', id), soon)
  }
  for (const server of servers) await waitUntil('the cluster to form', () => isFormed(server, servers.length), soon)
  for (const replica of replicas) {
    const inSync = async () => String(await replica.ask('INFO', 'replication')).includes('master_link_status:up')
    await waitUntil('the replicas to be in sync', inSync, soon)
  }
}

/** Introduces each to each, rather than leave it to gossip; a handshake that took too long is forgotten, so again. */
async function meet(servers: readonly ClusterServer[]): Promise<boolean> {
  const known = await Promise.all(servers.map((server) => server.ask('CLUSTER', 'NODES')))
  const strangers = servers.flatMap((server, i) =>
    servers.slice(i + 1).flatMap((other) => (String(known[i]).includes(`:${other.port}@`) ? [] : [{ server, other }])),
  )
  for (const { server, other } of strangers)
    await server.ask('CLUSTER', 'MEET', '127.0.0.1', String(other.port), String(other.busPort))
  return strangers.length === 0 && known.every((nodes) => !String(nodes).includes('handshake'))
}

/** Whether a node knows all nodes and who has which part. */
async function isFormed(server: ClusterServer, nodes: number): Promise<boolean> {
  const info = String(await server.ask('CLUSTER', 'INFO'))
  const slots = (await server.ask('CLUSTER', 'SLOTS')) as [number, number, ...unknown[]][]
  const inSlots = slots.reduce((sum, [, , ...holders]) => sum + holders.length, 0)
  return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes}`) && inSlots === nodes
}

const soon = { timeoutMs: 20_000, everyMs: 50 }

async function askNode(port: number, [name, ...args]: readonly [string, ...string[]]): Promise<unknown> {
  const client = new Redis({ port, host: '127.0.0.1' })
  client.on('error', () => {})
  try {
    return await client.call(name, ...args)
  } finally {
    client.disconnect()
  }
}
