/** The scenarios of zones, exports and callbacks by real k6 processes, of a real API with demo data. */
import { rmSync } from 'node:fs'
import { freePort } from '@hopwhistle/platform/machine/free-port.ts'
import { startApiInstances } from '@hopwhistle/platform/stack/api-instances.ts'
import { runDatabaseCommand } from '@hopwhistle/platform/stack/database-command.ts'
import { startGuard } from '@hopwhistle/platform/stack/guard.ts'
import { makeTempDir } from '@hopwhistle/platform/stack/run-as.ts'
import { type ServerProcess, stopServer } from '@hopwhistle/platform/stack/server-process.ts'
import { freshDatabase, type TestDatabase } from '@hopwhistle/platform/test-support/fresh-database.ts'
import { freshRedis } from '@hopwhistle/platform/test-support/fresh-redis.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { countRowsOfRun } from '../../bench/sample/rows-of-run.ts'
import type { RunnerResult } from '../../results-format.ts'
import { histogramCount } from '../../scenarios/lib/histogram.ts'
import { latencyOf } from '../../scenarios/lib/totals.ts'
import { k6Path, type Run, resultOf, runK6, runSegments, withK6 } from './k6.ts'
import { schemaErrors } from './schema.ts'

const SHAPE = { PROFILE: 'smoke', RAMP_SECONDS: '1', PEAK_SECONDS: '4', VUS: '10' }

describe.skipIf(k6Path === undefined)(`measured by k6${withK6}`, { timeout: 180_000 }, () => {
  let url: string
  let database: TestDatabase
  const running: ServerProcess[] = []
  const folder = makeTempDir('hopwhistle-scenarios-')
  const guard = startGuard()
  guard.remove(folder)

  beforeAll(async () => {
    const redis = await freshRedis()
    database = await freshDatabase()
    const { apiUrl: primary, replicaUrl: replica, ownerUrl, ownerReplicaUrl: ownerReplica } = database
    const args = ['--calls=4000', '--tenants=2']
    await runDatabaseCommand('db-seed-demo', { ownerUrl, args, onLine: () => {} })
    await database.replicaCaughtUp()
    const port = await freePort()
    await startApiInstances({
      dir: folder,
      port,
      host: '127.0.0.1',
      instances: 1,
      urls: { primary, replica, owner: ownerUrl, ownerReplica, redis: redis.url },
      guard,
      onStart: (server) => running.push(server),
    })
    url = `http://127.0.0.1:${port}`
  }, 120_000)
  afterAll(async () => {
    await Promise.all(running.map((server) => stopServer(server, 10_000)))
    rmSync(folder, { recursive: true, force: true })
    guard.off()
  })

  test('zones, filters and groups: each is asked for, and is what was asked for', async () => {
    const runner = await runnerOf(await runK6('reporting-zones.ts', { ...SHAPE, API_URL: url, RATE: '10' }))
    expect(failedOf(runner, 'reports')).toBe(0)
    everyAnswerIsTimed(runner, 'reports')
    for (const endpoint of ['zoned', 'filtered', 'grouped'])
      expect(histogramCount(latencyOf(`report_latency_${endpoint}`, runner, 'peak')), endpoint).toBeGreaterThan(5)
  })

  test('the feed and exports go on where they ended, while events are stored', async () => {
    const run = await runK6('calls-export.ts', { ...SHAPE, API_URL: url, RATE: '50', RUN_ID: 'exports' })
    const runner = await runnerOf(run)
    expect(failedOf(runner, 'reports') + failedOf(runner, 'updates')).toBe(0)
    everyAnswerIsTimed(runner, 'reports')
    everyAnswerIsTimed(runner, 'updates')
    for (const endpoint of ['changes', 'export', 'table'])
      expect(histogramCount(latencyOf(`report_latency_${endpoint}`, runner, 'peak')), endpoint).toBeGreaterThan(0)
    expect((await countRowsOfRun(database.ownerUrl, 'exports')).events).toBe(okOf(runner, 'updates'))
  })

  test('callbacks and records of two k6 processes and two tenants are all stored, and each event is counted', async () => {
    const env = { ...SHAPE, API_URL: url, RATE: '40', RUN_ID: 'callbacks', TENANTS: '2' }
    const runs = await runSegments('provider-callbacks.ts', env, 2)
    const runners = await Promise.all(runs.map(runnerOf))
    let [sent, ok, more] = [0, 0, 0]
    for (const runner of runners) {
      expect(failedOf(runner, 'updates')).toBe(0)
      everyAnswerIsTimed(runner, 'updates')
      const of = (kind: string) => histogramCount(latencyOf(`update_latency_${kind}`, runner, 'peak'))
      expect(Math.abs(of('twilio') - of('cdr'))).toBeLessThanOrEqual(1)
      sent += of('cdr')
      ok += okOf(runner, 'updates')
      more += inAll(runner, 'updates_more_events')
    }
    expect(sent).toBeGreaterThan(50)
    expect((await countRowsOfRun(database.ownerUrl, 'callbacks')).events).toBe(ok + more)
  })

  test('a callback that is not there is one clear error', async () => {
    const run = await runK6('provider-callbacks.ts', {
      ...SHAPE,
      API_URL: url,
      TWILIO_CALLBACK: `hwc_${'x'.repeat(32)}`,
    })
    expect(run.code).toBe(108)
    expect(run.stderr).toContain(`TWILIO_CALLBACK is none of ${url} (404)`)
  })
})

async function runnerOf(run: Run): Promise<RunnerResult> {
  const [, name = ''] = /result: .*\/([^/]+\.json)/.exec(run.stdout) ?? []
  const result = await resultOf(run, name)
  expect(schemaErrors(result)).toEqual([])
  return result.runners[0]!
}

const inAll = ({ counters }: RunnerResult, name: string) =>
  (counters[`${name}_ramp`] ?? 0) + (counters[`${name}_peak`] ?? 0)
const okOf = (runner: RunnerResult, kind: 'updates' | 'reports') => inAll(runner, `${kind}_ok`)
const failedOf = (runner: RunnerResult, kind: 'updates' | 'reports') => inAll(runner, `${kind}_failed`)

function everyAnswerIsTimed(runner: RunnerResult, kind: 'updates' | 'reports') {
  const latency = kind === 'updates' ? 'update_latency' : 'report_latency'
  for (const phase of ['ramp', 'peak'] as const)
    expect(histogramCount(latencyOf(latency, runner, phase))).toBe(runner.counters[`${kind}_sent_${phase}`])
}
