import { beforeAll, expect, test } from 'vitest'
import { expectAllDelivered, expectAllStored } from './support/expectations.ts'
import { type Platform, platform } from './support/platform.ts'
import { took } from './support/took.ts'
import { RATE_PER_SECOND } from './support/traffic.ts'

let hopwhistle: Platform
beforeAll(async () => {
  hopwhistle = await platform()
})

type Pods = Awaited<ReturnType<Platform['pods']>>
const namesOf = (pods: Pods) => pods.map(({ metadata }) => metadata!.name!)

test('a rolling restart under load fails no request and loses no event and no live message', async () => {
  await replacesPodsUnnoticed('a rolling restart of 2 pods', () => hopwhistle.restartApi())
})

test('a drain of its nodes under load fails no request and loses no event and no live message', async () => {
  await replacesPodsUnnoticed('a drain of 2 pods', (pods) =>
    hopwhistle.drainOfApi([...new Set(pods.map(({ spec }) => spec!.nodeName!))]),
  )
})

test('an upgrade and a rollback under load replace the API’s pods alone, and nobody notices', async () => {
  const databases = async () =>
    (await Promise.all([hopwhistle.pods('postgres'), hopwhistle.pods('postgres-replica')])).flat()
  const uids = async () => (await databases()).map(({ metadata }) => metadata!.uid)
  const logLevel = async () => {
    const { spec } = await hopwhistle.apiDeployment()
    return spec!.template.spec!.containers[0]!.env!.find(({ name }) => name === 'LOG_LEVEL')!.value
  }
  const before = await uids()
  const traffic = await hopwhistle.traffic.start()
  await hopwhistle.deploy('e2e/values-upgraded.yaml')
  await hopwhistle.apiHas(2)
  expect(await logLevel()).toBe('warn')
  await hopwhistle.rollback()
  await hopwhistle.apiHas(2)
  expect(await logLevel()).toBe('info')
  await traffic.goesOn(60)
  const report = await traffic.end()
  expect(report.failures).toEqual([])
  expectAllDelivered(report)
  expectAllStored(traffic.prefix, report, await hopwhistle.stored(traffic.prefix))
  expect(await uids()).toEqual(before)
})

async function replacesPodsUnnoticed(what: string, replace: (pods: Pods) => Promise<unknown>): Promise<void> {
  const before = await hopwhistle.pods('api')
  const traffic = await hopwhistle.traffic.start({ ratePerSecond: RATE_PER_SECOND })
  await took(what, async () => {
    await replace(before)
    await hopwhistle.apiHas(2)
  })
  await traffic.goesOn(2 * RATE_PER_SECOND)
  const report = await traffic.end()
  expect(report.failures).toEqual([])
  expectAllDelivered(report)
  expectAllStored(traffic.prefix, report, await hopwhistle.stored(traffic.prefix))
  expect(namesOf(await hopwhistle.pods('api')).filter((name) => namesOf(before).includes(name))).toEqual([])
}
