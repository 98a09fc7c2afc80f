/**
 * Runs a command with MIGRATION_DATABASE_URL of a new Postgres, with the newest schema and no data:
 *
 *   node platform/with-fresh-postgres.ts COMMAND [ARGUMENT…]
 *
 * Exits with the command's code, and removes that Postgres.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { startGuard } from './stack/guard.ts'
import { postgresUrl, startPostgresPair } from './stack/postgres-pair.ts'
import { makeTempDir } from './stack/run-as.ts'

const [command, ...args] = process.argv.slice(2)
if (command === undefined) {
  process.stderr.write('usage: node platform/with-fresh-postgres.ts COMMAND [ARGUMENT…]\n')
  process.exit(2)
}

const dir = makeTempDir('hopwhistle-fresh-')
const guard = startGuard()
guard.remove(dir)
const settings = { fsync: 'off', full_page_writes: 'off', shared_buffers: '32MB' }
const pair = await startPostgresPair({ dir, guard, settings })
try {
  const MIGRATION_DATABASE_URL = postgresUrl(pair.primary.port, 'postgres', 'postgres', pair.superuserPassword)
  const env = { ...process.env, MIGRATION_DATABASE_URL }
  execFileSync(process.execPath, ['api/src/commands/db-migrate.ts'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  process.exitCode = spawnSync(command, args, { env, stdio: 'inherit' }).status ?? 1
} finally {
  await pair.stop()
  guard.off()
  rmSync(dir, { recursive: true, force: true })
}
