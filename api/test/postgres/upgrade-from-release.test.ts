/** The last release itself, its API with its migrations, is upgraded to this version while it serves. */
import { hash, randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { CallEventBody } from '@hopwhistle/contract/calls.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { expect, onTestFinished, test } from 'vitest'
import { checkoutAt } from '../../../platform/checkout/checkout-at.ts'
import { OUR_CODE, type PlatformCode } from '../../../platform/checkout/platform-code.ts'
import { providePackages } from '../../../platform/checkout/provide-packages.ts'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { freePort } from '../../../platform/machine/free-port.ts'
import { startApiInstance } from '../../../platform/stack/api-instances.ts'
import { runDatabaseCommand } from '../../../platform/stack/database-command.ts'
import { startGuard } from '../../../platform/stack/guard.ts'
import { makeTempDir } from '../../../platform/stack/run-as.ts'
import { type ServerProcess, stopServer } from '../../../platform/stack/server-process.ts'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import { emptyDatabase, type TestDatabase } from '../../../platform/test-support/fresh-database.ts'
import { freshRedis } from '../../../platform/test-support/fresh-redis.ts'
import { anEvent } from '../platform/running-platform.ts'
import { lastRelease } from './last-release.ts'

const release = lastRelease()
const NEEDS = release === undefined ? ' (missing: the tag of a release, such as v0.1.0)' : ` ${release.tag}`
const MINUTES = 60_000
const STEADY_EVENTS = 50
const CALLS = 40

/** The code of the release, with its packages: npm fetches those that are others now. */
async function codeOf(ref: string, folder: string): Promise<PlatformCode> {
  const dir = join(folder, 'release')
  checkoutAt(ref, dir)
  await providePackages(dir, { signal: AbortSignal.timeout(3 * MINUTES), onLine: () => {} })
  const { NODE_FLAGS, MALLOC_ENV } = await import(pathToFileURL(join(dir, 'contract/node-flags.ts')).href)
  return { dir, nodeFlags: NODE_FLAGS, nodeEnv: MALLOC_ENV }
}

const migrate = ({ ownerUrl, postgres }: TestDatabase, code: PlatformCode) =>
  runDatabaseCommand('db-migrate', { ownerUrl, apiPassword: postgres.apiPassword, code, onLine: () => {} })

test.skipIf(release === undefined)(
  `an upgrade from the last release${NEEDS}: no event fails, and none is lost`,
  {
    timeout: 6 * MINUTES,
  },
  async () => {
    const folder = makeTempDir('hopwhistle-upgrade-')
    const guard = startGuard()
    guard.remove(folder)
    const running: ServerProcess[] = []
    onTestFinished(async () => {
      await Promise.all(running.map((server) => stopServer(server, 10_000)))
      rmSync(folder, { recursive: true, force: true })
      guard.off()
    })
    const [database, redis] = [await emptyDatabase(), await freshRedis()]
    const start = async (name: string, code: PlatformCode) => {
      const [port, dir] = [await freePort(), join(folder, name)]
      mkdirSync(join(dir, 'api'), { recursive: true })
      const urls = {
        ...{ primary: database.apiUrl, replica: database.replicaUrl, redis: redis.url },
        ...{ owner: database.ownerUrl, ownerReplica: database.ownerReplicaUrl },
      }
      const onStart = (server: ServerProcess) => running.push(server)
      const { process } = await startApiInstance(name, {
        dir,
        port,
        host: '127.0.0.1',
        instances: 1,
        urls,
        guard,
        code,
        onStart,
      })
      return { url: `http://127.0.0.1:${port}`, stop: () => stopServer(process, 30_000) }
    }

    const code = await codeOf(release!.tag, folder)
    await migrate(database, code)
    const owner = await connectPostgres(database.ownerUrl)
    const [tenant, key] = [randomUUID(), `test-${randomUUID()}`]
    await owner.query('insert into hopwhistle.tenants (id, name) values ($1, $2)', [tenant, 'of a test'])
    await owner.query('insert into hopwhistle.api_keys (tenant_id, name, key_hash, scopes) values ($1, $2, $3, $4)', [
      tenant,
      'a key',
      hash('sha256', key, 'buffer'),
      ['events:write', 'reports:read', 'live:read'],
    ])
    const old = await start('old', code)

    const headers = { 'content-type': 'application/json', 'x-api-key': key }
    const sent: CallEventBody[] = []
    /** Sends one event after the other, until told to stop. */
    function sender(url: string) {
      let going = true
      let count = 0
      const done = (async () => {
        while (going) {
          const callId = `call-${Math.floor(count / 2) % CALLS}`
          const event = anEvent(count % 2 === 0 ? 'RINGING' : 'COMPLETED', { callId })
          const response = await fetch(url + ROUTES.callEvent, { method: 'POST', headers, body: JSON.stringify(event) })
          expect(response.status, await response.text()).toBe(201)
          sent.push(event)
          count += 1
        }
      })()
      const some = () => {
        const wanted = count + STEADY_EVENTS
        return Promise.race([done, waitUntil(`${url} to take events`, () => count >= wanted, { timeoutMs: MINUTES })])
      }
      const end = () => {
        going = false
        return done
      }
      return { some, end }
    }

    const toOld = [sender(old.url), sender(old.url)]
    await Promise.all(toOld.map(({ some }) => some()))
    await migrate(database, OUR_CODE)
    await Promise.all(toOld.map(({ some }) => some()))
    const ours = await start('new', OUR_CODE)
    const toNew = [sender(ours.url), sender(ours.url)]
    await Promise.all([...toOld, ...toNew].map(({ some }) => some()))
    await Promise.all(toOld.map(({ end }) => end()))
    await old.stop()
    await Promise.all(toNew.map(({ some }) => some()))
    await Promise.all(toNew.map(({ end }) => end()))

    const { rows } = await owner.query<{ event_id: string }>('select event_id from hopwhistle.call_events')
    expect(rows.map(({ event_id }) => event_id).sort()).toEqual(sent.map(({ eventId }) => eventId).sort())
    await database.replicaCaughtUp()
    const report = await fetch(`${ours.url}${ROUTES.reportCalls}?limit=100`, { headers })
    const { calls } = (await report.json()) as { readonly calls: readonly { readonly state: string }[] }
    expect(calls.map(({ state }) => state)).toEqual(Array.from({ length: CALLS }, () => 'COMPLETED'))
  },
)
