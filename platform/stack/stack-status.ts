import { statSync } from 'node:fs'
import { Redis } from 'ioredis'
import pg from 'pg'
import { bytes } from '../document/figures.ts'
import { readGroup } from '../machine/process-group.ts'
import { isAlive } from '../machine/process-identity.ts'
import type { ServerProcess } from './server-process.ts'
import type { StackDetails, StackRecord } from './stack-record.ts'

export type StatusRow = {
  readonly name: string
  readonly well: boolean
  readonly health: string
  readonly pid?: number
  readonly port?: number
  readonly uptimeMs?: number
  readonly memoryBytes?: number
}

const ANSWER_WITHIN_MS = 3_000

/** Checks every process of the stack; does not throw for one that does not answer. */
export async function stackStatus(record: StackRecord): Promise<readonly StatusRow[]> {
  return Promise.all(
    record.processes.map(async (server): Promise<StatusRow> => {
      if (!isAlive(server)) return { name: server.name, well: false, health: `ended; see ${server.logFile}` }
      const running = { name: server.name, pid: server.pid, ...portOf(server, record.details), ...vitals(server) }
      if (record.details === undefined) return { ...running, well: false, health: 'starting' }
      try {
        return { ...running, well: true, health: await health(server, record.details) }
      } catch (error) {
        return { ...running, well: false, health: `does not answer: ${(error as Error).message}` }
      }
    }),
  )
}

async function health(server: ServerProcess, { api, urls, monitoring }: StackDetails): Promise<string> {
  switch (server.name) {
    case 'postgres primary': {
      const rows = await query<{ n: string; max: string }>(
        urls.owner,
        `select count(*) as n, current_setting('max_connections') as max
         from pg_stat_activity where backend_type = 'client backend'`,
      )
      return `well, ${rows[0]?.n} of ${rows[0]?.max} connections`
    }
    case 'postgres replica': {
      const rows = await query<{ lag: string; ms: string | null }>(
        urls.owner,
        `select pg_wal_lsn_diff(pg_current_wal_flush_lsn(), replay_lsn) as lag,
           round(extract(epoch from replay_lag) * 1000) as ms
         from pg_stat_replication where state = 'streaming'`,
      )
      if (rows[0] === undefined) throw new Error('it does not stream')
      return `well, ${bytes(Math.max(0, Number(rows[0].lag)))} behind${rows[0].ms === null ? '' : `, ${rows[0].ms} ms`}`
    }
    case 'redis': {
      const redis = new Redis(urls.redis, {
        lazyConnect: true,
        retryStrategy: () => null,
        commandTimeout: ANSWER_WITHIN_MS,
      })
      redis.on('error', () => {})
      try {
        await redis.connect()
        await redis.ping()
        return 'well'
      } finally {
        redis.disconnect()
      }
    }
    case 'prometheus':
      return reachable(`${monitoring?.prometheus}/-/ready`)
    case 'grafana':
      return reachable(`${monitoring?.grafana}/api/health`)
    default: {
      // An exporter has no status of its own: its server has.
      if (server.name.startsWith('exporter of ')) return 'runs'
      const instance = api.find(({ id }) => id === server.name)
      const answer = await fetch(`${instance?.adminUrl}/readyz`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
      if (!answer.ok) throw new Error(`not ready: ${answer.status}`)
      return 'ready'
    }
  }
}

async function reachable(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
  if (!answer.ok) throw new Error(`not ready: ${answer.status}`)
  return 'well'
}

async function query<T extends pg.QueryResultRow>(url: string, text: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: ANSWER_WITHIN_MS })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<T>(text)).rows
  } finally {
    await client.end()
  }
}

function portOf({ name }: ServerProcess, details: StackDetails | undefined): { port?: number } {
  if (details === undefined) return {}
  if (name.startsWith('exporter of ')) return {}
  const url = {
    'postgres primary': details.urls.primary,
    'postgres replica': details.urls.replica,
    redis: details.urls.redis,
    prometheus: details.monitoring?.prometheus,
    grafana: details.monitoring?.grafana,
  }[name]
  return { port: Number(new URL(url ?? details.apiUrl).port) }
}

function vitals({ pid, logFile }: ServerProcess): { uptimeMs?: number; memoryBytes?: number } {
  const group = readGroup(pid)
  // The log file is created right before its process.
  const uptimeMs = Date.now() - statSync(logFile).birthtimeMs
  return { uptimeMs, ...(group === undefined ? {} : { memoryBytes: group.memoryBytes }) }
}
