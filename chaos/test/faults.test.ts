import type pg from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { connectPostgres } from '../../platform/test-support/connect-postgres.ts'
import { freshDatabase, type TestDatabase } from '../../platform/test-support/fresh-database.ts'
import { problemsOf } from '../faults/problems-of.ts'
import type { FaultResult } from '../faults/run-fault.ts'
import { compareLedger } from '../load/compare-ledger.ts'
import type { Entry } from '../load/ledger-load.ts'
import { renderReliability } from '../render-reliability.ts'

let database: TestDatabase
let owner: pg.Client
beforeAll(async () => {
  database = await freshDatabase()
  owner = await connectPostgres(database.ownerUrl)
})

const entry = (eventId: string, acked = true): Entry => ({
  eventId,
  dueAtMs: 0,
  ...(acked ? { ackedAtMs: 1 } : {}),
  refusals: [],
})
const held: FaultResult = {
  title: 'Nothing',
  sent: 10,
  acknowledged: 10,
  heldPerSecond: 499,
  refusals: {},
  withoutRetryAfter: 0,
  slowestMs: 20,
  recoveredAfterMs: 0,
  lost: [],
  unknown: [],
  rollupsEqual: true,
  reports: { asked: 10, failures: {}, slowestMs: 5 },
  live: { followers: 3, toldGaps: 0, lostConnections: 0, missing: 0, broken: [] },
}

test('finds events that were acknowledged but not stored, and events that were stored but not sent', async () => {
  for (const id of ['run.1', 'run.2', 'run.stranger', 'another.1']) {
    await owner.query(
      `insert into hopwhistle.call_events (tenant_id, occurred_at, received_at, state, place, event_id, call_id)
       values (gen_random_uuid(), now(), now(), 0, 1, $1, $1)`,
      [id],
    )
  }
  const entries = [entry('run.1'), entry('run.2', false), entry('run.3'), entry('run.4', false)]
  expect(await compareLedger(database.ownerUrl, 'run', entries)).toEqual({
    lost: ['run.3'],
    unknown: ['run.stranger'],
    rollupsEqual: true,
  })
})

test('finds a call that no rollup counts', async () => {
  await owner.query(
    `insert into hopwhistle.calls (tenant_id, started_at, updated_at, state, call_id)
     values (gen_random_uuid(), now(), now(), 0, 'uncounted')`,
  )
  expect(await compareLedger(database.ownerUrl, 'none', [])).toMatchObject({ rollupsEqual: false })
  await owner.query(`delete from hopwhistle.calls`)
})

test('every broken promise is reported', () => {
  expect(problemsOf(held)).toEqual([])
  expect(problemsOf({ ...held, refusals: { 503: 4, none: 1 } })).toEqual([])
  expect(
    problemsOf({
      ...held,
      lost: ['e1'],
      unknown: ['e2', 'e3'],
      acknowledged: 8,
      rollupsEqual: false,
      refusals: { 500: 3, 503: 1 },
      withoutRetryAfter: 2,
      recoveredAfterMs: 21_000,
      reports: { asked: 10, failures: { 500: 1, 503: 2 }, slowestMs: 5 },
      live: { followers: 3, toldGaps: 1, lostConnections: 1, missing: 4, broken: ['a frame from 3 after offset 1'] },
    }),
  ).toEqual([
    '1 acknowledged events are not in Postgres, e1 among them',
    '2 events in Postgres were never sent',
    '2 events were not accepted within 90 s',
    'the rollups do not equal the calls',
    '3 events were refused with 500',
    '1 reports were refused with 500',
    '2 answers with 429 or 503 had no Retry-After',
    '4 messages were lost without a notice to the subscriber',
    '1 live frames were wrong: a frame from 3 after offset 1',
    'recovery took 21.0 s',
  ])
  const of = (result: FaultResult, more: object = {}) => ({
    ...{ name: 'redis-far', measuredAt: '2026-11-20T10:00:00Z', machine: '2 cores', perSecond: 500, result },
    ...more,
  })
  const faults = [of(held), of({ ...held, title: 'Something', lost: ['e1'] })]
  const document = renderReliability({ faults })
  expect(document).toMatch(/\| Nothing +\| 499\/s of 500 \| none +\| none +\| +0\.0 s \| +0\.0 s \| +0 \| +0 \| ✅/)
  expect(document).toMatch(/\| Something .* 1 \| +0 \| ❌ 1 acknowledged events are not in Postgres/)
  expect(document).toContain('It cannot lose packets')
  const inOwnNetwork = [of(held, { ownNetwork: true }), of(held, { name: 'clock-stepped' })]
  expect(renderReliability({ faults: inOwnNetwork })).toContain('The kernel drops packets')
})

test('what was measured on another machine than the rest is marked', () => {
  const fault = {
    name: 'redis-far',
    measuredAt: '2026-11-20T10:00:00Z',
    machine: '2 cores',
    perSecond: 500,
    result: held,
  }
  const experiment = { title: 'A flood', figures: 'none', problems: [] }
  const document = renderReliability({ faults: [fault], overload: [{ machine: '4 cores', result: experiment }] })
  expect(document).toContain('on 2 cores: three API instances')
  expect(document).toMatch(/^\| Nothing +\|/m)
  expect(document).toMatch(/^\| A flood \[1\] +\|/m)
  expect(document).toMatch(/^\[1\] Measured on 4 cores\.$/m)
})

test('a document without figures says that they are not measured', () => {
  const document = renderReliability({ faults: [] })
  expect(document).toContain('What the platform survives: three API instances')
  expect(document.match(/^Not measured yet: run `make chaos`\.$/gm)).toHaveLength(2)
  expect(document).not.toMatch(/NaN|undefined/)
})
