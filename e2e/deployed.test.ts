import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import { beforeAll, expect, test } from 'vitest'
import { expectAllDelivered } from './support/expectations.ts'
import { type Platform, platform } from './support/platform.ts'

let hopwhistle: Platform
beforeAll(async () => {
  hopwhistle = await platform()
})

test('after make deploy every pod is ready and none had to be restarted', async () => {
  await hopwhistle.apiHas(2)
  for (const component of ['api', 'postgres', 'postgres-replica', 'redis'] as const) {
    for (const { metadata, status } of await hopwhistle.pods(component)) {
      const [container] = status!.containerStatuses!
      expect({ pod: metadata!.name, ready: container!.ready, restarts: container!.restartCount }).toEqual({
        pod: metadata!.name,
        ready: true,
        restarts: 0,
      })
    }
  }
})

test('deploying again replaces no pod', async () => {
  const uids = async () => {
    const pods = await Promise.all((['api', 'postgres', 'postgres-replica', 'redis'] as const).map(hopwhistle.pods))
    return pods
      .flat()
      .map(({ metadata }) => metadata!.uid!)
      .sort()
  }
  const before = await uids()
  await hopwhistle.deploy()
  expect(await uids()).toEqual(before)
})

test('events of a call come back in a report that the replica answers', async () => {
  const callId = `e2e-${Date.now()}`
  const startedAt = Date.now() - 60_000
  const at = (second: number) => new Date(startedAt + 1000 * second).toISOString()
  await hopwhistle.post({ eventId: `${callId}-1`, callId, state: 'COMPLETED', occurredAt: at(9) })
  const position = await hopwhistle.post({ eventId: `${callId}-2`, callId, state: 'RINGING', occurredAt: at(2) })
  const { status, body } = await hopwhistle.get(ROUTES.call.replace(':callId', callId), {
    [HEADERS.position]: position,
  })
  expect({ status, ...body }).toMatchObject({ status: 200, source: 'replica' })
  expect(JSON.stringify(body)).toContain(`${callId}-2`)
})

test('subscribers of two pods get every event once, whichever pod took it', async () => {
  const pods = await hopwhistle.apiPods()
  expect(pods).toHaveLength(2)
  const traffic = await hopwhistle.traffic.start({ subscribeAt: pods })
  await traffic.goesOn(100)
  const report = await traffic.end()
  expect(report.failures).toEqual([])
  expectAllDelivered(report)
  for (const { connections } of report.subscribers) expect(connections).toBe(1)
})
