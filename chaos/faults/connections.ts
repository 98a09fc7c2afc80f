import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Fault } from './fault.ts'

const HELD_MS = 10_000

/** Takes all free connections, then ends those of the API ten at a time and takes them too. */
export const connectionsExhausted: Fault = {
  name: 'connections',
  title: `All connections of the primary taken by something else for ${HELD_MS / 1000} s`,
  needs: 'servers',
  inflict: async ({ urls }) => {
    const owner = new pg.Client({ connectionString: urls.owner })
    const held: pg.Client[] = []
    const take = async (): Promise<boolean> => {
      const client = new pg.Client({ connectionString: urls.primary, application_name: 'chaos' })
      client.on('error', () => {})
      const taken = await client.connect().then(
        () => true,
        () => false,
      )
      if (taken) held.push(client)
      return taken
    }
    await owner.connect()
    try {
      const until = performance.now() + HELD_MS
      while (performance.now() < until) {
        while (await take());
        await owner.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'hopwhistle-api%' limit 10`,
        )
        await sleep(20)
      }
    } finally {
      await Promise.all(held.map((client) => client.end().catch(() => {})))
      await owner.end()
    }
  },
}
