import { beforeAll, expect, test } from 'vitest'
import { expectAllDelivered, expectAllStored } from './support/expectations.ts'
import { type Platform, platform } from './support/platform.ts'
import { took } from './support/took.ts'
import { RATE_PER_SECOND } from './support/traffic.ts'

let hopwhistle: Platform
beforeAll(async () => {
  hopwhistle = await platform()
})

test('scaling up and down under load fails no request, loses no event and no live message', async () => {
  const traffic = await hopwhistle.traffic.start({ ratePerSecond: RATE_PER_SECOND })
  const scaled = async (replicas: number) => {
    await hopwhistle.scale(replicas)
    await hopwhistle.apiHas(replicas)
  }
  await took('from 2 to 5 pods', () => scaled(5))
  await traffic.goesOn(5 * RATE_PER_SECOND)
  await took('from 5 to 2 pods', () => scaled(2))
  await traffic.goesOn(2 * RATE_PER_SECOND)
  const report = await traffic.end()
  expect(report.failures).toEqual([])
  expectAllDelivered(report)
  expectAllStored(traffic.prefix, report, await hopwhistle.stored(traffic.prefix))
})

test('the autoscaler adds pods under load and takes them back after it, while ingest and live subscribers go on', async () => {
  const rush = await hopwhistle.traffic.start({ ratePerSecond: 400 })
  // Of the 50m that a pod requests: 200 events a second take more than twice that, and next to none less than all of it.
  await hopwhistle.set({
    'api.autoscaling.enabled': true,
    'api.autoscaling.min': 2,
    'api.autoscaling.max': 3,
    'api.autoscaling.cpuPercent': 200,
  })
  await hopwhistle.scaleDownAtOnce()
  await took('the autoscaler from 2 to 3 pods', () => hopwhistle.apiHas(3))
  await rush.goesOn(400)
  const reports = [{ traffic: rush, report: await rush.end() }]
  const calm = await hopwhistle.traffic.start({ ratePerSecond: 10 })
  await took('the autoscaler from 3 to 2 pods', () => hopwhistle.apiHas(2))
  reports.push({ traffic: calm, report: await calm.end() })
  await hopwhistle.set({ 'api.autoscaling.enabled': false })
  await hopwhistle.apiHas(2)
  for (const { traffic, report } of reports) {
    expect(report.failures).toEqual([])
    expectAllDelivered(report)
    expectAllStored(traffic.prefix, report, await hopwhistle.stored(traffic.prefix))
  }
})
