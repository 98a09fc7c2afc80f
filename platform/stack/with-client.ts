import pg from 'pg'

/** Opens a connection while `use` runs. */
export async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'hopwhistle-bench' })
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
