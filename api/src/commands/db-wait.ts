/** `node api/src/commands/db-wait.ts`: see HELP. */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { readMigrations } from '../postgres/migrate.ts'

const EXIT = { ok: 0, failed: 1, usage: 2 } as const
const WAIT_MS = 600_000
const ASK_EVERY_MS = 1_000

const HELP = `Usage: node api/src/commands/db-wait.ts

Waits up to ten minutes until the database has every migration of this version, so that an instance starts on a schema
that it knows. Migrations of a newer version do not matter.

Environment:
  DATABASE_URL  required  the primary, as the role hopwhistle_api

Exit codes: 0 it has them, 1 it did not get them in time, 2 wrong usage.
`

if (process.argv.slice(2).some((arg) => arg === '--help' || arg === '-h')) {
  process.stdout.write(HELP)
} else if (process.argv.length > 2 || !URL.canParse(process.env.DATABASE_URL ?? '')) {
  process.stderr.write(`db:wait: DATABASE_URL must be a URL, and there are no arguments\n\n${HELP}`)
  process.exitCode = EXIT.usage
} else {
  process.exitCode = await waitForSchema(process.env.DATABASE_URL ?? '')
}

async function waitForSchema(url: string): Promise<number> {
  const wanted = (await readMigrations()).map(({ name }) => name)
  const deadline = performance.now() + WAIT_MS
  let said: string | undefined
  for (;;) {
    const missing = await whatIsMissing(url, wanted)
    if (missing === undefined) return EXIT.ok
    if (missing !== said) process.stderr.write(`db:wait: ${missing}\n`)
    said = missing
    if (performance.now() > deadline) return EXIT.failed
    await sleep(ASK_EVERY_MS)
  }
}

/** @returns why an instance cannot start yet; undefined when it can */
async function whatIsMissing(url: string, wanted: readonly string[]): Promise<string | undefined> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'hopwhistle db:wait',
    connectionTimeoutMillis: 5_000,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ name: string }>('select name from hopwhistle.migrations')
    const applied = new Set(rows.map(({ name }) => name))
    const missing = wanted.filter((name) => !applied.has(name))
    return missing.length === 0 ? undefined : `waiting for ${missing.join(', ')}`
  } catch (error) {
    return `waiting for the database: ${(error as Error).message}`
  } finally {
    await client.end().catch(() => {})
  }
}
