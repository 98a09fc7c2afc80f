/** `npm run db:migrate`: see HELP. */
import { MigrationFailed, migrate, readMigrations } from '../postgres/migrate.ts'
import { setRolePassword } from '../postgres/set-role-password.ts'
import { type DatabaseCommand, runDatabaseCommand } from './run-database-command.ts'

const HELP = `Usage: npm run db:migrate [-- --wait] [-- --give-up-after=SECONDS]

Brings the database to the newest schema while instances serve. Safe to run twice, and from many instances at once:
one migrates, the others wait for it.

A lock that another transaction holds is asked for again and again, for a third of a second each time, so that reports
and events do not queue behind it. Meanwhile it says who holds the lock.

  --wait                   waits up to five minutes until the database accepts connections, such as one that is just starting
  --give-up-after=SECONDS  waits for locks, and for another instance that migrates, no longer than this in all; 300 if
                           not given. What was done stays, and the next run goes on from there

Environment:
  MIGRATION_DATABASE_URL     required  the primary, as a role that may create roles and schemas
  API_DATABASE_PASSWORD      optional  password that the role hopwhistle_api shall log in with;
                                       without it, the role stays as it is
  MONITOR_DATABASE_PASSWORD  optional  the same for hopwhistle_monitor, which sees statistics and no rows

Exit codes: 0 up to date, 1 failed or gave up, 2 wrong usage.
`

const GIVE_UP_AFTER = '--give-up-after='

const PASSWORDS = [
  ['hopwhistle_api', 'API_DATABASE_PASSWORD'],
  ['hopwhistle_monitor', 'MONITOR_DATABASE_PASSWORD'],
] as const

const run: DatabaseCommand = async (client, say, args, connect) => {
  const seconds = secondsOf(args)
  const options = { connect, ...(seconds === undefined ? {} : { giveUpAfterMs: Number(seconds) * 1000 }) }
  const report = await migrate(client, await readMigrations(), say, options).catch((error: unknown) => {
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

const secondsOf = (args: readonly string[]): string | undefined =>
  args.findLast((arg) => arg.startsWith(GIVE_UP_AFTER))?.slice(GIVE_UP_AFTER.length)

function problemWith(args: readonly string[]): string | undefined {
  const seconds = secondsOf(args)
  if (seconds === undefined || /^[1-9]\d{0,5}$/.test(seconds)) return undefined
  return `${GIVE_UP_AFTER}${seconds}: expected whole seconds from 1 to 999999`
}

await runDatabaseCommand(HELP, 'db:migrate', run, ['--wait', GIVE_UP_AFTER], problemWith)
