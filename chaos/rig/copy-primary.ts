import { execFile } from 'node:child_process'
import { chownSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { unprivilegedUser } from '../../platform/stack/run-as.ts'

/**
 * Replaces the data folder of the replica by a copy of the primary's. The primary runs; the replica must be stopped.
 * This is a base backup by hand, because the embedded Postgres has no pg_basebackup.
 */
export async function copyPrimary(dir: string, ownerUrl: string): Promise<void> {
  const home = join(dir, 'postgres')
  const replica = join(home, 'replica')
  const itsOwnSettings = readFileSync(join(replica, 'hopwhistle.conf'))
  const session = new pg.Client({ connectionString: ownerUrl })
  await session.connect()
  try {
    await session.query(`select pg_backup_start('chaos', true)`)
    rmSync(replica, { recursive: true, force: true })
    // The WAL accounts for a file that is removed meanwhile; cp reports it and goes on.
    await promisify(execFile)('cp', ['-Rp', join(home, 'primary'), replica]).catch(() => {})
    const { rows } = await session.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)')
    const user = unprivilegedUser()
    const write = (name: string, text: string | Buffer) => {
      writeFileSync(join(replica, name), text, { mode: 0o600 })
      if (user !== undefined) chownSync(join(replica, name), user.uid, user.gid)
    }
    write('backup_label', rows[0]?.labelfile ?? '')
    write('hopwhistle.conf', itsOwnSettings)
    write('standby.signal', '')
    for (const left of ['postmaster.pid', 'postmaster.opts', 'pg_replslot/hopwhistle_replica']) {
      rmSync(join(replica, left), { recursive: true, force: true })
    }
  } finally {
    await session.end()
  }
}
