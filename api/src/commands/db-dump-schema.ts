/** `npm run db:dump:schema`: see HELP. */
import { writeFile } from 'node:fs/promises'
import { dumpSchema } from '../postgres/dump-schema.ts'
import { runDatabaseCommand } from './run-database-command.ts'

const FILE = new URL('../../schema.sql', import.meta.url)

const HELP = `Usage: npm run db:dump:schema

Writes api/schema.sql from a database that db:migrate has brought up to date. Commit it with each migration.

Environment:
  MIGRATION_DATABASE_URL  required  the database, as a role that may see everything

Exit codes: 0 written, 1 failed, 2 wrong usage.
`

await runDatabaseCommand(HELP, 'db:dump:schema', async (client, say) => {
  await writeFile(FILE, await dumpSchema(client))
  say('wrote api/schema.sql')
})
