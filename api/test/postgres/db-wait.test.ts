import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import { freshDatabase } from '../../../platform/test-support/fresh-database.ts'

const COMMAND = fileURLToPath(new URL('../../src/commands/db-wait.ts', import.meta.url))

test('an instance waits for the last migration of its version, and no longer', async () => {
  const { apiUrl, ownerUrl } = await freshDatabase()
  const owner = await connectPostgres(ownerUrl)
  const last = `select name from hopwhistle.migrations order by name desc limit 1`
  const [{ name, checksum }] = (
    await owner.query(`delete from hopwhistle.migrations where name = (${last}) returning name, checksum`)
  ).rows

  const child = execFile(process.execPath, [COMMAND], { env: { PATH: process.env.PATH, DATABASE_URL: apiUrl } })
  onTestFinished(() => void child.kill())
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const said = await new Promise<string>((resolve) => child.stderr?.once('data', resolve))
  expect(said).toBe(`db:wait: waiting for ${name}\n`)
  expect(child.exitCode).toBeNull()

  await owner.query('insert into hopwhistle.migrations (name, checksum) values ($1, $2)', [name, checksum])
  expect(await ended).toBe(0)
})
