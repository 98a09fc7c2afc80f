import { randomBytes } from 'node:crypto'
import { ask } from '@hopwhistle/platform/kubernetes/programs.ts'
import { quantity } from '@hopwhistle/platform/kubernetes/quantity.ts'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { expectAllStored } from './support/expectations.ts'
import { type Platform, platform } from './support/platform.ts'
import { took } from './support/took.ts'

/** A release of its own: what is done to it would be noticed by other tests. */
const RELEASE = 'upkeep'

let hopwhistle: Platform
beforeAll(async () => {
  await (await platform()).deploy(undefined, RELEASE)
  hopwhistle = await platform(RELEASE)
})
afterAll(async () => {
  await hopwhistle.uninstall(RELEASE)
})

const CLAIMS = [`data-${RELEASE}-postgres-0`, `data-${RELEASE}-postgres-replica-0`]
const uids = async () =>
  (await Promise.all([hopwhistle.pods('postgres'), hopwhistle.pods('postgres-replica')]))
    .flat()
    .map(({ metadata }) => metadata!.uid)
const claim = (name: string) =>
  hopwhistle.cluster.core.readNamespacedPersistentVolumeClaim({ namespace: hopwhistle.namespace, name })
const sizes = async () => (await Promise.all(CLAIMS.map(claim))).map(({ spec }) => spec!.resources!.requests!.storage)

test('an upgrade to another size of a volume is refused before it changes anything', async () => {
  const revision = async () => (await hopwhistle.apiDeployment()).metadata!.generation
  const before = await revision()
  await expect(hopwhistle.set({ 'postgres.storage': '40Gi', 'api.settings.logLevel': 'warn' })).rejects.toThrow(
    /postgres.storage is 40Gi, and the volume of upkeep-postgres was made with 2Gi/,
  )
  expect(await revision()).toBe(before)
})

test('volumes of a storage class that cannot grow them are left alone, and so are smaller ones', async () => {
  await allowExpansion(false)
  const before = await uids()
  await expect(hopwhistle.growVolume('postgres', '30Gi')).rejects.toThrow(/cannot grow to 30Gi. Nothing was changed/)
  await expect(hopwhistle.growVolume('postgres', '1Gi')).rejects.toThrow(/a volume cannot shrink to 1Gi/)
  expect(await sizes()).toEqual(['2Gi', '2Gi'])
  expect(await uids()).toEqual(before)
})

test('volumes grow while their pods run, and the next upgrade and a new pod find the new size', async () => {
  await allowExpansion(true)
  const before = await uids()
  const stop = new AbortController()
  const growing = growAsADriverWould(stop.signal)
  await took('to grow two volumes', () => hopwhistle.growVolume('postgres', '30Gi')).finally(() => stop.abort())
  await growing
  expect(await sizes()).toEqual(['30Gi', '30Gi'])
  expect(await uids()).toEqual(before)
  await hopwhistle.set({ 'postgres.storage': '30Gi' })
  const [replica] = await hopwhistle.pods('postgres-replica')
  await hopwhistle.remove(replica!, 10)
  await hopwhistle.replaced('postgres-replica', replica!)
})

test('the primary takes the passwords of a Secret that changes without a restart, and no acknowledged event is lost', async () => {
  const { cluster, namespace, release } = hopwhistle
  const name = `${release}-credentials`
  const [primary] = await hopwhistle.pods('postgres')
  const startedAt = () => hopwhistle.query('select pg_postmaster_start_time()')
  const before = await startedAt()
  const { data: old } = await cluster.core.readNamespacedSecret({ namespace, name })
  const passwords = Object.fromEntries(Object.keys(old!).map((key) => [key, randomBytes(24).toString('base64url')]))
  const logsIn = (user: string, password: string) =>
    cluster
      .execute(primary!, ['psql', `postgres://${user}:${password}@127.0.0.1/hopwhistle`, '-Atc', 'select 1'])
      .then(() => true)
      .catch(() => false)
  const ROLES = [
    ['postgres', 'owner-password'],
    ['hopwhistle_api', 'api-password'],
    ['hopwhistle_replication', 'replication-password'],
    ['hopwhistle_monitor', 'monitor-password'],
  ] as const

  const traffic = await hopwhistle.traffic.start({ subscribeAt: [] })
  const body = [{ op: 'replace', path: '/data', value: inBase64(passwords) }]
  await cluster.core.patchNamespacedSecret({ namespace, name, body })
  await took('the primary to take other passwords', () =>
    hopwhistle.wait('all roles to have the new passwords', async () => {
      const taken = await Promise.all(ROLES.map(([user, key]) => logsIn(user, passwords[key]!)))
      return taken.every((each) => each)
    }),
  )
  for (const [user, key] of ROLES) expect(await logsIn(user, Buffer.from(old![key]!, 'base64').toString())).toBe(false)
  await took('the pods of the API to take them', async () => {
    await hopwhistle.restartApi()
    await hopwhistle.apiHas(2)
  })
  await traffic.goesOn(60)
  const report = await traffic.end()
  expectAllStored(traffic.prefix, report, await hopwhistle.stored(traffic.prefix))
  const log = await hopwhistle.logOf('postgres')
  for (const password of Object.values(passwords)) expect(log).not.toContain(password)

  for (const component of ['postgres-replica', 'redis'] as const) {
    const [pod] = await hopwhistle.pods(component)
    await hopwhistle.remove(pod!, 10)
    await hopwhistle.replaced(component, pod!)
  }
  await hopwhistle.wait('the replica to stream', async () => {
    const streams = "select 1 from pg_stat_replication where state = 'streaming'"
    return (await hopwhistle.query(streams)).length === 1
  })
  expect((await hopwhistle.pods('postgres'))[0]!.metadata!.uid).toBe(primary!.metadata!.uid)
  expect(await startedAt()).toEqual(before)
})

/** Of the storage class that the volumes have, for the time of a test. */
async function allowExpansion(allowed: boolean): Promise<void> {
  const { spec } = await claim(CLAIMS[0]!)
  const ofClass = ['storageclass', spec!.storageClassName!]
  const set = (value: string) => ask('kubectl', ['patch', ...ofClass, '--patch', `{"allowVolumeExpansion":${value}}`])
  const before = await ask('kubectl', ['get', ...ofClass, '--output', 'jsonpath={.allowVolumeExpansion}'])
  onTestFinished(async () => {
    await set(before || 'null')
  })
  await set(String(allowed))
}

/** A cluster for tests has volumes that are folders, which no driver grows: this says that they have grown. */
async function growAsADriverWould(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const name of CLAIMS) {
      const { spec, status } = await claim(name)
      const capacity = { storage: spec!.resources!.requests!.storage! }
      if (quantity(status!.capacity!.storage!) >= quantity(capacity.storage)) continue
      const patch = (what: readonly string[], body: object) =>
        ask('kubectl', ['patch', ...what, '--type', 'merge', '--patch', JSON.stringify(body)])
      const ofClaim = ['pvc', name, '--namespace', hopwhistle.namespace, '--subresource', 'status']
      await patch(['pv', spec!.volumeName!], { spec: { capacity } })
      await patch(ofClaim, { status: { capacity, conditions: [] } })
    }
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
}

const inBase64 = (texts: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]))
