/** `npm run db:migrate`: see HELP. */
import { MigrationFailed, migrate, readMigrations } from '../postgres/migrate.ts'
import { setApiPassword } from '../postgres/set-api-password.ts'
import { runDatabaseCommand } from './run-database-command.ts'

const HELP = `Usage: npm run db:migrate

Brings the database to the newest schema. Safe to run twice, and from many instances at once: one migrates,
the others wait for it.

Environment:
  MIGRATION_DATABASE_URL  required  the primary, as a role that may create roles and schemas
  API_DATABASE_PASSWORD   optional  password that the role hopwhistle_api shall log in with;
                                    without it, the role stays as it is

Exit codes: 0 up to date, 1 failed, 2 wrong usage.
`

await runDatabaseCommand(HELP, 'db:migrate', async (client, say) => {
  const report = await migrate(client, await readMigrations(), say).catch((error: unknown) => {
    throw error instanceof MigrationFailed ? error : new MigrationFailed((error as Error).message, { cause: error })
  })
  const password = process.env.API_DATABASE_PASSWORD
  if (password !== undefined && password !== '') {
    await setApiPassword(client, password)
    say('hopwhistle_api logs in with API_DATABASE_PASSWORD')
  }
  say(
    report.applied.length === 0
      ? `up to date: all ${report.alreadyApplied} migrations were applied before`
      : `up to date: ${report.applied.length} migrations applied, ${report.alreadyApplied} before`,
  )
})
