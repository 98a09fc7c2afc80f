import pg from 'pg'
import { afterAll } from 'vitest'

const clients: pg.Client[] = []
afterAll(() => Promise.all(clients.map((client) => client.end().catch(() => {}))))

/** A connection to Postgres that ends after the tests of the file, and may be lost before: some tests stop its server. */
export async function connectPostgres(url: string, options: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, ...options })
  client.on('error', () => {})
  await client.connect()
  clients.push(client)
  return client
}
