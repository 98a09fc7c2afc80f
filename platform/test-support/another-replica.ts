import { execFile } from 'node:child_process'
import { chownSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { freePort } from '../machine/free-port.ts'
import type { Guard } from '../stack/guard.ts'
import { followPrimary } from '../stack/postgres-folders.ts'
import type { PostgresPair, PostgresServer } from '../stack/postgres-pair.ts'
import { postgresUrl, startPostgresAgain } from '../stack/postgres-pair.ts'

const NAME = 'replica-2'

/** Adds a standby to a running pair, by a copy of the primary's folder: the embedded Postgres has no pg_basebackup. */
export async function startAnotherReplica(
  pair: PostgresPair & { readonly dir: string; readonly guard: Guard },
): Promise<PostgresServer> {
  const home = join(pair.dir, 'postgres')
  const folder = join(home, NAME)
  const { primary, superuserPassword } = pair
  /** Gives the file the owner of the folder. */
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    const { uid, gid } = statSync(join(home, 'primary'))
    chownSync(join(folder, name), uid, gid)
  }
  const client = new pg.Client({
    connectionString: postgresUrl(primary.port, 'postgres', 'postgres', superuserPassword),
  })
  await client.connect()
  try {
    await client.query(`select pg_backup_start('${NAME}', true)`)
    // As the owner of the folder. The backup accounts for a file that is removed while it is copied.
    await promisify(execFile)('cp', ['-Rp', join(home, 'primary'), folder]).catch(() => {})
    const { rows } = await client.query<{ label: string }>('select labelfile as label from pg_backup_stop(false)')
    write('backup_label', rows[0]?.label ?? '')
  } finally {
    await client.end()
  }
  rmSync(join(folder, 'postmaster.pid'), { force: true })
  rmSync(join(folder, 'postmaster.opts'), { force: true })
  write('standby.signal', '')
  followPrimary(home, primary.port, NAME)
  const { guard } = pair
  return startPostgresAgain(NAME, { dir: pair.dir, port: await freePort(), superuserPassword, guard })
}
