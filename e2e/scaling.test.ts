import { beforeAll, expect, test } from 'vitest'
import { expectAllDelivered, expectAllStored } from './support/expectations.ts'
import { type Platform, platform } from './support/platform.ts'
import { took } from './support/took.ts'

let hopwhistle: Platform
beforeAll(async () => {
  hopwhistle = await platform()
})

test('scaling up and down under load fails no request, loses no event and no live message', async () => {
  const traffic = await hopwhistle.traffic.start()
  const scaled = async (replicas: number) => {
    await hopwhistle.scale(replicas)
    await hopwhistle.apiHas(replicas)
  }
  await took('from 2 to 4 pods', () => scaled(4))
  await traffic.goesOn(60)
  await took('from 4 to 2 pods', () => scaled(2))
  await traffic.goesOn(60)
  const report = await traffic.end()
  expect(report.failures).toEqual([])
  expectAllDelivered(report)
  expectAllStored(traffic.prefix, report, await hopwhistle.stored(traffic.prefix))
})

test('under load the autoscaler adds pods and takes them back, while ingest and live subscribers go on', async () => {
  const traffic = await hopwhistle.traffic.start({ ratePerSecond: 60 })
  // A target that this small load exceeds, and back down at once rather than in five minutes.
  await hopwhistle.set({
    'api.autoscaling.enabled': true,
    'api.autoscaling.min': 2,
    'api.autoscaling.max': 3,
    'api.autoscaling.cpuPercent': 20,
  })
  await hopwhistle.scaleDownAtOnce()
  await took('the autoscaler from 2 to 3 pods', () => hopwhistle.apiHas(3))
  await traffic.goesOn(60)
  await hopwhistle.set({ 'api.autoscaling.cpuPercent': 1000 })
  await hopwhistle.scaleDownAtOnce()
  await took('the autoscaler from 3 to 2 pods', () => hopwhistle.apiHas(2))
  const report = await traffic.end()
  await hopwhistle.set({ 'api.autoscaling.enabled': false })
  await hopwhistle.apiHas(2)
  expect(report.failures).toEqual([])
  expectAllDelivered(report)
  expectAllStored(traffic.prefix, report, await hopwhistle.stored(traffic.prefix))
})
