import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { waitUntil } from '../lib/wait-until.ts'
import { postgresUrl } from '../stack/postgres-pair.ts'
import { askServices } from './ask-services.ts'
import type { TestPostgres } from './services.ts'

export type TestDatabase = {
  readonly name: string
  /** As hopwhistle_api, on the primary. */
  readonly apiUrl: string
  /** As hopwhistle_api, on the replica. */
  readonly replicaUrl: string
  /** As the superuser that migrated it, on the primary. */
  readonly ownerUrl: string
  /** The superuser, on the replica. */
  readonly ownerReplicaUrl: string
  readonly postgres: TestPostgres
  /** Resolves when the replica has everything that was committed before the call. */
  replicaCaughtUp(): Promise<void>
}

/**
 * A new database with the newest schema and no rows, on the pair that all tests share; also on the replica. It need not
 * be dropped: the pair is removed after the run.
 *
 * Roles and settings of the server are shared with other tests. A test that changes those, or stops, pauses or fills a
 * server, must use `ownPostgres()`.
 *
 * @param from the test's own pair, instead of the shared one
 */
export async function freshDatabase(from?: TestPostgres): Promise<TestDatabase> {
  const postgres = from ?? (await askServices<TestPostgres>('postgres'))
  const name = `test_${randomBytes(6).toString('hex')}`
  await createDatabase(postgres, name, postgres.template)
  return describe(postgres, name)
}

/** The same without a schema, for tests of migrations. */
export async function emptyDatabase(from?: TestPostgres): Promise<TestDatabase> {
  const postgres = from ?? (await askServices<TestPostgres>('postgres'))
  const name = `test_${randomBytes(6).toString('hex')}`
  await createDatabase(postgres, name, 'template0')
  return describe(postgres, name)
}

async function createDatabase(postgres: TestPostgres, name: string, template: string): Promise<void> {
  await asSuperuser(postgres.primaryPort, postgres, (client) =>
    client.query(`create database ${name} template ${template}`),
  )
  await replicaCaughtUp(postgres)
}

function describe(postgres: TestPostgres, name: string): TestDatabase {
  const { primaryPort, replicaPort, superuserPassword, apiPassword } = postgres
  return {
    name,
    apiUrl: postgresUrl(primaryPort, name, 'hopwhistle_api', apiPassword),
    replicaUrl: postgresUrl(replicaPort, name, 'hopwhistle_api', apiPassword),
    ownerUrl: postgresUrl(primaryPort, name, 'postgres', superuserPassword),
    ownerReplicaUrl: postgresUrl(replicaPort, name, 'postgres', superuserPassword),
    postgres,
    replicaCaughtUp: () => replicaCaughtUp(postgres),
  }
}

async function replicaCaughtUp(postgres: TestPostgres): Promise<void> {
  const { rows } = await asSuperuser(postgres.primaryPort, postgres, (client) =>
    client.query<{ at: string }>('select pg_current_wal_flush_lsn() as at'),
  )
  const at = rows[0]?.at
  await asSuperuser(postgres.replicaPort, postgres, (replica) =>
    waitUntil(
      `the replica to reach ${at}`,
      async () => {
        const { rows } = await replica.query<{ reached: boolean }>(
          'select pg_last_wal_replay_lsn() >= $1::pg_lsn as reached',
          [at],
        )
        return rows[0]?.reached
      },
      { timeoutMs: 15_000, everyMs: 5 },
    ),
  )
}

async function asSuperuser<T>(
  port: number,
  { superuserPassword }: TestPostgres,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: postgresUrl(port, 'postgres', 'postgres', superuserPassword) })
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
