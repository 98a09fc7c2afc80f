import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { beforeAll, expect, test } from 'vitest'
import { expectAllDelivered, expectAllStored } from './support/expectations.ts'
import { type Platform, platform } from './support/platform.ts'
import { took } from './support/took.ts'

let hopwhistle: Platform
beforeAll(async () => {
  hopwhistle = await platform()
})

test('a process of the API that ends in the middle of everything takes no acknowledged event with it', async () => {
  const traffic = await hopwhistle.traffic.start({ ratePerSecond: 60 })
  const [victim] = await hopwhistle.pods('api')
  await took('the process of a pod started again', async () => {
    await hopwhistle.crash(victim!)
    await hopwhistle.apiHas(2)
  })
  await traffic.goesOn(60)
  const report = await traffic.end()
  // Its connections break in the middle; what was sent on them is sent again, and stored once.
  expectAllStored(traffic.prefix, report, await hopwhistle.stored(traffic.prefix))
  expectAllDelivered(report)
})

test('a pod of the API that is deleted with next to no grace takes no acknowledged event with it', async () => {
  const traffic = await hopwhistle.traffic.start()
  const [victim] = await hopwhistle.pods('api')
  await hopwhistle.remove(victim!, 1)
  await took('another pod for one that was deleted', () => hopwhistle.apiHas(2))
  await traffic.goesOn(60)
  const report = await traffic.end()
  expectAllStored(traffic.prefix, report, await hopwhistle.stored(traffic.prefix))
  expectAllDelivered(report)
})

test('a replica whose volume is wiped is copied anew, and reports are answered all the while', async () => {
  const traffic = await hopwhistle.traffic.start()
  const [replica] = await hopwhistle.pods('postgres-replica')
  await hopwhistle.cluster.execute(replica!, ['sh', '-c', 'rm -rf "$PGDATA"'])
  await hopwhistle.remove(replica!, 5)
  const answers: number[] = []
  const asking = setInterval(() => {
    hopwhistle.get(`${ROUTES.reportCalls}?limit=1`).then(
      ({ status }) => answers.push(status),
      () => answers.push(0),
    )
  }, 500)
  await took('a replica copied anew', () => hopwhistle.replaced('postgres-replica', replica!))
  await hopwhistle.wait('a report that the replica answers', async () => {
    const { body } = await hopwhistle.get(`${ROUTES.reportCalls}?limit=${1 + Math.floor(Math.random() * 200)}`)
    return body.source === 'replica'
  })
  clearInterval(asking)
  const report = await traffic.end()
  expect(new Set(answers)).toEqual(new Set([200]))
  expect(report.failures).toEqual([])
  expectAllDelivered(report)
  expectAllStored(traffic.prefix, report, await hopwhistle.stored(traffic.prefix))
})

test('a primary whose volume is deleted does not begin empty, and is restored from the replica with every event', async () => {
  const before = await hopwhistle.traffic.start()
  await before.goesOn(60)
  const report = await before.end()
  await hopwhistle.wait('the replica to have all', async () => {
    const behind = 'select 1 from pg_stat_replication where replay_lsn < pg_current_wal_lsn()'
    return (await hopwhistle.query(behind)).length === 0
  })
  await hopwhistle.removeWithVolume('postgres')
  await hopwhistle.wait('the new primary to refuse', async () =>
    (await hopwhistle.logOf('postgres')).includes('refused to begin: this volume is empty'),
  )
  const [replica] = await hopwhistle.pods('postgres-replica')
  await hopwhistle.remove(replica!, 5)
  await hopwhistle.replaced('postgres-replica', replica!)
  expect(await hopwhistle.logOf('postgres-replica')).toContain('it has another database')
  await hopwhistle.wait('a report that the replica answers', async () => {
    expect((await hopwhistle.get(`${ROUTES.reportCalls}?limit=1`)).body).toMatchObject({ source: 'replica' })
    return true
  })

  await took('a primary restored from the replica, and a new replica', hopwhistle.restorePrimary)
  expectAllStored(before.prefix, report, await hopwhistle.stored(before.prefix))
  const after = await hopwhistle.traffic.start()
  await after.goesOn(60)
  const again = await after.end()
  expectAllDelivered(again)
  expectAllStored(after.prefix, again, await hopwhistle.stored(after.prefix))
})
