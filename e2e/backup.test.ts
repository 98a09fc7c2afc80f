import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test, vi } from 'vitest'
import { parse } from 'yaml'
import { expectAllStored } from './support/expectations.ts'
import { type Platform, platform } from './support/platform.ts'
import { took } from './support/took.ts'

const DRILL = 'drill'

// It may build the image of the primary first.
vi.setConfig({ testTimeout: 600_000 })

test('a restore to a point in time brings back every row of then, and nothing that came after', async () => {
  const shared = await platform()
  onTestFinished(async () => {
    await shared.uninstall(DRILL)
  })
  await took('a release with backups, and its first one', () => shared.deploy('e2e/values-backup.yaml', DRILL))
  const drill = await platform(DRILL)

  const before = await written(drill)
  await took('a base backup', drill.backUp)
  await written(drill)
  const then = await rows(drill)
  const [time] = await drill.query('select clock_timestamp()')
  const after = await written(drill)
  expect(await drill.stored(before)).not.toEqual([])
  expect(await drill.stored(after)).not.toEqual([])
  const [age] = await exported(drill, 'pg_hopwhistle_backup')
  expect(Number(age)).toBeLessThan(600)
  expect(await exported(drill, 'pg_hopwhistle_archive')).toEqual([expect.stringMatching(/^0\|\d+$/)])

  const [primary] = await drill.pods('postgres')
  await took('a restore', async () => {
    await drill.set({ 'postgres.restore.targetTime': time!, 'postgres.restore.replaceData': true })
    await drill.replaced('postgres', primary!)
  })
  expect(await rows(drill)).toEqual(then)
  expect(await drill.stored(after)).toEqual([])
  // The platform goes on from there.
  await drill.apiHas(1)
  await written(drill)
})

/** Has clients write for a second or two. @returns how the ids of their events begin */
async function written(drill: Platform): Promise<string> {
  const traffic = await drill.traffic.start({ subscribeAt: [] })
  const report = await traffic.end()
  expectAllStored(traffic.prefix, report, await drill.stored(traffic.prefix))
  return traffic.prefix
}

/** Every event and every call, with all that is known of them. */
const rows = (drill: Platform) =>
  drill.query(`select to_jsonb(e) from hopwhistle.call_events e union all select to_jsonb(c) from hopwhistle.calls c
    order by 1`)

/** What the exporter of Prometheus would read, as a role of monitoring. */
function exported(drill: Platform, name: string): Promise<readonly string[]> {
  const queries = parse(readFileSync('dashboards/exporters/postgres-queries.yaml', 'utf8'))
  return drill.query(`set role pg_monitor; ${queries[name].query}`)
}
