import { beforeAll, expect, test } from 'vitest'
import { disturbancesOf } from './support/disturbances.ts'
import { type Platform, platform } from './support/platform.ts'
import { type Prometheus, prometheusOf } from './support/prometheus.ts'
import { took } from './support/took.ts'

/** Windows of the alerts are those of a drill: seconds, as e2e/values-monitoring.yaml says. */
let hopwhistle: Platform
let prometheus: Prometheus
let disturb: ReturnType<typeof disturbancesOf>
beforeAll(async () => {
  hopwhistle = await platform()
  prometheus = prometheusOf(hopwhistle)
  disturb = disturbancesOf(hopwhistle)
})

/** Disturbs the platform until all of these fire, mends it, and waits until none does: they fired, and no other. */
async function raises(expected: readonly string[], hurt: () => Promise<() => Promise<void>>): Promise<void> {
  await prometheus.isQuiet()
  const startedAt = performance.now()
  const mend = await hurt()
  try {
    await took(`${expected.length} alerts to fire`, () => prometheus.firing(expected))
    await hopwhistle.wait('Alertmanager to be told', async () => {
      const told = await prometheus.told()
      return expected.every((name) => told.includes(name.split(' ', 1)[0]!))
    })
  } finally {
    await mend()
  }
  await took('all of them to clear', prometheus.isQuiet)
  expect(await prometheus.fired((performance.now() - startedAt) / 1000)).toEqual(expected)
  await hopwhistle.wait('Alertmanager to hear of the end', async () => (await prometheus.told()).length === 0)
}

test('a replica that is stopped raises what is said of it, and no other alert; back again, all clear', async () => {
  await raises(['ReplicaGone', 'ReplicaUnused', 'SlotInactive'], disturb.stopReplica)
})

test('a Redis that is full raises what is said of it, and no other alert; emptied, all clear', async () => {
  await raises(
    ['LimitNear redis_memory', 'LimitReached redis_memory', 'RedisEvictions', 'RedisMemory'],
    disturb.fillRedis,
  )
})

test('a slow Postgres breaks the promises about events and live delivery, and no other; fast again, all clear', async () => {
  const traffic = await hopwhistle.traffic.start()
  await raises(['CallEventsBurnFast', 'CallEventsBurnSlow', 'LiveBurnFast', 'LiveBurnSlow'], disturb.slowPostgres)
  const report = await traffic.end()
  expect(report.failures).toEqual([])
})
