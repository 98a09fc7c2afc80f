/**
 * What webhooks cost a commit: microseconds of `forget_published`, which every commit of an event calls with what it lets go of.
 *
 *   before   `forget_published` as it was before webhooks
 *   off      as it is, and no tenant ever had a webhook
 *   others   another tenant has one
 *   on       this tenant has one
 *
 *   node platform/with-fresh-postgres.ts node api/test/webhooks/cost.bench.ts [--events=3000] [--rounds=5]
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import pg from 'pg'

const { values } = parseArgs({
  options: { events: { type: 'string', default: '3000' }, rounds: { type: 'string', default: '5' } },
})
const owner = new pg.Client({ connectionString: process.env.MIGRATION_DATABASE_URL })
await owner.connect()
const events = Number(values.events)
const ids = { this: randomUUID(), other: randomUUID() }

const functionIn = (file: string) => {
  const sql = readFileSync(new URL(`../../migrations/${file}`, import.meta.url), 'utf8')
  const [text = ''] = /create (or replace )?function hopwhistle\.forget_published[\s\S]*?\n\$\$;/.exec(sql) ?? []
  return text.replace(/^create function/, 'create or replace function')
}
const FUNCTIONS = { before: functionIn('0006_commit_call_events.sql'), after: functionIn('0024_webhooks.sql') }

async function subscribe(tenantId: string | undefined): Promise<void> {
  await owner.query('truncate hopwhistle.webhooks, hopwhistle.webhook_waiting, hopwhistle.webhook_log')
  if (tenantId === undefined) return
  await owner.query(
    `insert into hopwhistle.webhooks (id, tenant_id, url, patterns, secret, kept_from, at_batch)
     values (gen_random_uuid(), $1, 'https://a.example', '{call.*}', '\\x00', 0, 0)`,
    [tenantId],
  )
}
const WAYS = {
  before: { sql: FUNCTIONS.before, tenantId: undefined },
  off: { sql: FUNCTIONS.after, tenantId: undefined },
  others: { sql: FUNCTIONS.after, tenantId: ids.other },
  on: { sql: FUNCTIONS.after, tenantId: ids.this },
}

/** On a connection of its own, which so has no plan of another way. The clock is the server's: no round trip is in it. */
async function measure(): Promise<number> {
  const client = new pg.Client({ connectionString: process.env.MIGRATION_DATABASE_URL })
  await client.connect()
  const { rows } = await client.query<{ ids: readonly string[] }>(
    `with made as (
       insert into hopwhistle.outbox (tenant_id, event_ids, sequences)
       select $1, array['an event of usual length'], array[1] from generate_series(1, $2::integer) returning batch_id)
     select array_agg(batch_id) as ids from made`,
    [ids.this, events],
  )
  await client.query('create temporary table took (us float8)')
  await client.query(`
    do $do$
    declare
      ids bigint[] := '{${rows[0]?.ids.join(',')}}';
      began timestamptz := clock_timestamp();
      id bigint;
    begin
      foreach id in array ids loop
        perform hopwhistle.forget_published(array[id]);
      end loop;
      insert into took values (extract(epoch from clock_timestamp() - began) * 1000000 / ${events});
    end
    $do$`)
  const took = await client.query<{ us: number }>('select us from took')
  await client.end()
  return took.rows[0]?.us ?? Number.NaN
}

const measured = new Map<string, number[]>()
for (let round = 0; round < Number(values.rounds); round++) {
  const names = Object.keys(WAYS) as (keyof typeof WAYS)[]
  // In turns: each is first as often as the others.
  for (const name of [...names.slice(round % 4), ...names.slice(0, round % 4)]) {
    const { sql, tenantId } = WAYS[name]
    await owner.query(sql)
    await subscribe(tenantId)
    measured.set(name, [...(measured.get(name) ?? []), await measure()])
  }
}
for (const [name, all] of measured) {
  const sorted = all.toSorted((a, b) => a - b)
  console.log(
    `${name.padEnd(8)} ${sorted[sorted.length >> 1]?.toFixed(1)} µs (${sorted[0]?.toFixed(1)} to ${sorted.at(-1)?.toFixed(1)})`,
  )
}
await owner.end()
