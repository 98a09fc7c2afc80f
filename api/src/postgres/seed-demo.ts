import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  DEMO_TENANT_ID,
  DEMO_TENANTS_MAX,
  DEMO_TWILIO_TOKEN,
  demoApiKey,
  demoTenantId,
  demoTwilioCallback,
} from '@hopwhistle/contract/demo.ts'
import { SCOPES } from '@hopwhistle/contract/routes.ts'
import type { Client } from 'pg'

export type DemoData = { readonly calls: number; readonly events: number; readonly from: Date; readonly to: Date }

export type SeedOptions = {
  /** The moment at which the 30 days end. */
  readonly now: Date
  /** About how many calls; a few more, for every hour has one at least. */
  readonly calls: number
  /** Over which the calls are spread, each with a key of its own; 1 if absent. */
  readonly tenants?: number
  /** In which the tenants' reports are unless a request says otherwise: an IANA name; null: UTC. Absent: what it is, stays. */
  readonly timeZone?: string | null
  /** Removes the calls of all demo tenants first. */
  readonly again: boolean
  /** Seals the auth token of Twilio in each tenant's callback, whose secrets the API opens with it; absent: no callbacks. */
  readonly seal?: Seal
  /** Called for each day that is done. */
  readonly onProgress?: (done: number, of: number) => void
}

type Seal = (secret: string, callbackId: string) => Buffer

export type Seeded = DemoData & { readonly wasThere: boolean }

const LABELS = ['campaign', 'source', 'agent']
const DAYS = 30
const SEED = 20_260_131
const DAY_MS = 24 * 3600 * 1000
const OF_DEMO = `tenant_id between '${DEMO_TENANT_ID}' and '${demoTenantId(DEMO_TENANTS_MAX - 1)}'`
const TABLES = [
  'calls',
  'call_events',
  'outbox',
  'call_metrics_pending',
  'call_changes',
  'call_metrics_quarterly',
  'call_metrics_hourly',
  'call_metrics_daily',
  'quarters_since',
]

/** Uniform and bell-shaped numbers that depend on nothing but what is given. */
const RANDOM_FUNCTIONS = `
  create or replace function pg_temp.chance(n bigint, seed int, salt int) returns double precision language sql immutable
    return ((hashint8extended(n, seed + salt) >> 11) & 4503599627370495) / 4503599627370496.0::float8;
  create or replace function pg_temp.bell(n bigint, seed int, salt int) returns double precision language sql immutable
    return sqrt(-2 * ln(1 - pg_temp.chance(n, seed, salt))) * cos(2 * pi() * pg_temp.chance(n, seed, salt + 1));`

/**
 * Gives the demo tenants their keys and 30 days of calls that end now: all of it or, when interrupted, nothing.
 *
 * Everything is made by the server itself, from hashes. Raw events, calls and rollups agree, for calls are folded from
 * the events, and rollups from the calls by the function that always folds them.
 *
 * @param client a role that may become hopwhistle_owner
 */
export async function seedDemo(client: Client, options: SeedOptions): Promise<Seeded> {
  await client.query('begin')
  try {
    await client.query('set local role hopwhistle_owner')
    await client.query(`select pg_advisory_xact_lock(hashtextextended('hopwhistle.seed-demo', 0))`)
    await giveKeys(client, options.tenants ?? 1)
    if (options.timeZone !== undefined) await setTimeZone(client, options.timeZone, options.tenants ?? 1)
    if (options.seal !== undefined) await giveCallbacks(client, options.seal, options)
    if (options.again)
      for (const table of TABLES) await client.query(`delete from hopwhistle.${table} where ${OF_DEMO}`)
    const before = await demoData(client)
    if (before !== undefined) {
      await client.query('commit')
      return { ...before, wasThere: true }
    }
    await writeCalls(client, options)
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  }
  await foldAndAnalyze(client)
  return { ...((await demoData(client)) as DemoData), wasThere: false }
}

/**
 * Ends the demo keys and callbacks, which everybody knows. The demo's calls stay.
 *
 * @returns false when there was no key that works
 */
export async function endDemoKeys(client: Client): Promise<boolean> {
  await client.query(
    'update hopwhistle.provider_callbacks set ended_at = now() where callback_hash = any($1) and ended_at is null',
    [callbackHashes(DEMO_TENANTS_MAX)],
  )
  const { rowCount } = await client.query(
    'update hopwhistle.api_keys set revoked_at = now() where key_hash = any($1) and (revoked_at is null or revoked_at > now())',
    [keyHashes(DEMO_TENANTS_MAX)],
  )
  return rowCount !== 0
}

async function giveKeys(client: Client, tenants: number): Promise<void> {
  await client.query(
    `insert into hopwhistle.tenants (id, name, labels)
     select id, 'Demo' || coalesce(' ' || nullif(n - 1, 0), ''), $2 from unnest($1::uuid[]) with ordinality as t (id, n)
     on conflict (id) do update set labels = excluded.labels where tenants.labels is null`,
    [tenantIds(tenants), LABELS],
  )
  await client.query(
    `insert into hopwhistle.api_keys (tenant_id, name, key_hash, scopes)
     select id, 'demo', key_hash, $3 from unnest($1::uuid[], $2::bytea[]) as t (id, key_hash)
     on conflict (key_hash) do update set scopes = excluded.scopes, revoked_at = null
     where api_keys.scopes <> excluded.scopes or api_keys.revoked_at is not null`,
    [tenantIds(tenants), keyHashes(tenants), SCOPES],
  )
}

async function setTimeZone(client: Client, timeZone: string | null, tenants: number): Promise<void> {
  await client.query(
    'update hopwhistle.tenants set time_zone = $2 where id = any($1) and time_zone is distinct from $2',
    [tenantIds(tenants), timeZone],
  )
}

/** One each. One that has ended is made again; with `again` all are, for their secrets may be sealed with another key. */
async function giveCallbacks(client: Client, seal: Seal, { tenants = 1, again }: SeedOptions): Promise<void> {
  const ids = tenantIds(tenants)
  const hashes = callbackHashes(tenants)
  await client.query(
    'delete from hopwhistle.provider_callbacks where callback_hash = any($1) and ($2 or ended_at is not null)',
    [hashes, again],
  )
  await client.query(
    `insert into hopwhistle.provider_callbacks (id, tenant_id, provider, name, callback_hash, sealed_secret)
     select id, id, 'twilio', 'demo', callback_hash, sealed_secret
     from unnest($1::uuid[], $2::bytea[], $3::bytea[]) as t (id, callback_hash, sealed_secret)
     on conflict (id) do nothing`,
    [ids, hashes, ids.map((id) => seal(DEMO_TWILIO_TOKEN, id))],
  )
}

const callbackHashes = (tenants: number) =>
  Array.from({ length: tenants }, (_, n) => hash('sha256', demoTwilioCallback(n), 'buffer'))
const tenantIds = (tenants: number) => Array.from({ length: tenants }, (_, n) => demoTenantId(n))
const keyHashes = (tenants: number) =>
  Array.from({ length: tenants }, (_, n) => hash('sha256', demoApiKey(n), 'buffer'))

async function writeCalls(client: Client, { now, calls, tenants = 1, onProgress }: SeedOptions): Promise<void> {
  const read = (name: string) => readFile(new URL(`seed/${name}.sql`, import.meta.url), 'utf8')
  const [demoCalls, demoDay] = await Promise.all([read('demo-calls'), read('demo-day')])
  await client.query(`set local jit = off; set local timezone = 'UTC'`)
  await client.query(RANDOM_FUNCTIONS)
  // "create table as" takes no parameters.
  await client.query(
    withLiterals(demoCalls, [
      `${client.escapeLiteral(now.toISOString())}::timestamptz`,
      String(calls),
      String(SEED),
      `'{${tenantIds(tenants).join(',')}}'::uuid[]`,
    ]),
  )
  await client.query('create index on demo_calls (initiated_at); analyze demo_calls')
  for (let day = 0; day <= DAYS; day++) {
    const until = new Date(now.getTime() - (DAYS - day) * DAY_MS)
    const since = day === 0 ? new Date(0) : new Date(until.getTime() - DAY_MS)
    // The last range includes its end.
    const before = day === DAYS ? new Date(until.getTime() + 1) : until
    await client.query(demoDay, [now, since, before])
    onProgress?.(day + 1, DAYS + 1)
  }
}

function withLiterals(sql: string, literals: readonly string[]): string {
  return sql.replace(/\$(\d)\b/g, (_, n: string) => literals[Number(n) - 1] as string)
}

const VACUUMED = [
  'call_events',
  'calls',
  'call_metrics_quarterly',
  'call_metrics_hourly',
  'call_metrics_daily',
  'call_metrics_pending',
]

async function foldAndAnalyze(client: Client): Promise<void> {
  // Until it is our turn: an instance that is running may be folding right now.
  const pending = async () =>
    (await client.query(`select from hopwhistle.call_metrics_pending where ${OF_DEMO} limit 1`)).rowCount
  await client.query('set role hopwhistle_owner')
  while ((await pending()) !== 0) {
    const { rows } = await client.query<{ folded: string }>('select hopwhistle.fold_call_metrics() as folded')
    if (rows[0]?.folded === '0') await sleep(50)
  }
  for (const table of VACUUMED) {
    await client.query(`vacuum (analyze) hopwhistle.${table}`)
  }
  await client.query('reset role')
}

async function demoData(client: Client): Promise<DemoData | undefined> {
  const first = await client.query(
    `select from hopwhistle.calls where tenant_id = $1 and call_id like 'demo-%' limit 1`,
    [DEMO_TENANT_ID],
  )
  if (first.rowCount === 0) return undefined
  const { rows } = await client.query<DemoData>(
    `select (select sum(calls)::int from hopwhistle.call_metrics_hourly where ${OF_DEMO}) as calls,
       (select count(*)::int from hopwhistle.call_events where ${OF_DEMO}) as events,
       (select min(started_at) from hopwhistle.calls where ${OF_DEMO}) as "from",
       (select max(started_at) from hopwhistle.calls where ${OF_DEMO}) as "to"`,
  )
  return rows[0]
}
