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
