import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { type Platform, startPlatform } from './reporting-platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ replicaUrl: null })
})
afterAll(() => platform.close())

test('reports of one tenant that take long, however many, do not keep another waiting', async () => {
  const [flood, quiet] = [await platform.newTenant(), await platform.newTenant()]
  const client = await platform.owner.connect()
  await client.query('begin; lock table hopwhistle.calls in access exclusive mode')
  const slow = Array.from({ length: 40 }, (_, i) => flood.calls({ limit: String(i + 1) }))
  let released = false
  try {
    await waitUntil(
      'reports to wait for the lock',
      async () => {
        const { rows } = await platform.owner.query<{ n: number }>(
          `select count(*)::integer as n from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
        )
        return (rows[0]?.n ?? 0) > 0
      },
      { timeoutMs: 10_000, everyMs: 20 },
    )
    // It reads rollups, which nobody holds.
    const answer = quiet.metrics({ granularity: 'hour' })
    void Promise.all(slow).then(() => {
      released = true
    })
    expect((await answer).status).toBe(200)
    expect(released).toBe(false)
  } finally {
    await client.query('rollback')
    client.release()
  }
  expect(new Set((await Promise.all(slow)).map(({ status }) => status))).toEqual(new Set([200]))
})
