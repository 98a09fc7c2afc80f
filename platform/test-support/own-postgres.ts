import { askServices } from './ask-services.ts'
import type { TestPostgres } from './services.ts'

/** A Postgres pair that only this test uses, to stop, pause or kill. Takes about two seconds: use it once per file, in `beforeAll`. */
export async function ownPostgres(): Promise<TestPostgres & { stop(): Promise<void> }> {
  const postgres = await askServices<TestPostgres>('own-postgres')
  return { ...postgres, stop: () => askServices<void>('stop-postgres', postgres.id) }
}

/** A second standby of such a pair, removed with it. */
export const anotherReplica = (postgres: TestPostgres): Promise<{ readonly port: number; readonly pid: number }> =>
  askServices('another-replica', postgres.id)
