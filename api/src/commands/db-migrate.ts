/** `npm run db:migrate`: see HELP. */
import { MigrationFailed, migrate, readMigrations } from '../postgres/migrate.ts'
import { setRolePassword } from '../postgres/set-role-password.ts'
import { type DatabaseCommand, runDatabaseCommand } from './run-database-command.ts'

const HELP = `Usage: npm run db:migrate [-- --wait]

Brings the database to the newest schema. Safe to run twice, and from many instances at once: one migrates,
the others wait for it.

  --wait  waits up to five minutes for the database to let it in, as one that is being started beside it

Environment:
  MIGRATION_DATABASE_URL     required  the primary, as a role that may create roles and schemas
  API_DATABASE_PASSWORD      optional  password that the role hopwhistle_api shall log in with;
                                       without it, the role stays as it is
  MONITOR_DATABASE_PASSWORD  optional  the same for hopwhistle_monitor, which sees statistics and no rows

Exit codes: 0 up to date, 1 failed, 2 wrong usage.
`

const PASSWORDS = [
  ['hopwhistle_api', 'API_DATABASE_PASSWORD'],
  ['hopwhistle_monitor', 'MONITOR_DATABASE_PASSWORD'],
] as const

const run: DatabaseCommand = async (client, say) => {
  const report = await migrate(client, await readMigrations(), say).catch((error: unknown) => {
    throw error instanceof MigrationFailed ? error : new MigrationFailed((error as Error).message, { cause: error })
  })
  for (const [role, variable] of PASSWORDS) {
    const password = process.env[variable]
    if (password === undefined || password === '') continue
    await setRolePassword(client, role, password)
    say(`${role} logs in with ${variable}`)
  }
  say(
    report.applied.length === 0
      ? `up to date: all ${report.alreadyApplied} migrations were applied before`
      : `up to date: ${report.applied.length} migrations applied, ${report.alreadyApplied} before`,
  )
}

await runDatabaseCommand(HELP, 'db:migrate', run, ['--wait'])
