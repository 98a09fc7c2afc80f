import { afterAll, beforeAll, expect, test } from 'vitest'
import { readReport } from '../../src/reporting/read-report.ts'
import type { Platform } from './reporting-platform.ts'
import { startPlatform } from './reporting-platform.ts'

const QUERY_TIMEOUT_MS = 300
let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ env: { POSTGRES_QUERY_TIMEOUT_MS: String(QUERY_TIMEOUT_MS) } })
  // What a replica answers in the middle of a conflict, at will.
  await platform.owner.query(`
    create function public.fail_on_replica(state text, message text) returns text language plpgsql as $$
    begin
      if pg_is_in_recovery() then raise exception using errcode = state, message = message; end if;
      return 'read';
    end $$`)
  await platform.database.replicaCaughtUp()
})
afterAll(() => platform.close())

const read = (text: string, values: readonly string[] = []) =>
  readReport<{ answer: string }>(platform.replica, { text, values }, undefined, QUERY_TIMEOUT_MS)

test.each([
  ['40001', 'canceling statement due to conflict with recovery'],
  ['57014', 'canceling statement due to conflict with recovery'],
  ['57P01', 'terminating connection due to administrator command'],
  ['57P03', 'the database system is shutting down'],
  ['53300', 'too many connections'],
])('what the replica refuses with %s, %s, is read on the primary', async (state, message) => {
  const { rows, from } = await read('select public.fail_on_replica($1, $2) as answer', [state, message])
  expect([rows, from.source]).toEqual([[{ answer: 'read' }], 'primary'])
})

test('what takes too long is not tried again elsewhere, to take as long there', async () => {
  // After a second try it would be database-unavailable.
  await expect(read('select pg_sleep(5)')).rejects.toMatchObject({ status: 503, code: 'request-timeout' })
})

test('what is wrong with the statement itself stays an error of ours', async () => {
  await expect(read('select 1 / 0')).rejects.toMatchObject({ code: '22012' })
})
