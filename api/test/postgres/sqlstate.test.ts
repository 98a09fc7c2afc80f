import { expect, test } from 'vitest'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import { emptyDatabase } from '../../../platform/test-support/fresh-database.ts'
import { remedyFor } from '../../src/postgres/sqlstate.ts'

const ofServer = (code: string) => Object.assign(new Error(), { code, severity: 'ERROR' })

test.each([
  ['40P01', 'again'],
  ['40001', 'again'],
  ['40003', 'unavailable'],
  ['55P03', 'again'],
  ['57P01', 'unavailable'],
  ['57014', 'unavailable'],
  ['08006', 'unavailable'],
  ['53300', 'unavailable'],
  ['25006', 'unavailable'],
  ['22021', 'data'],
  ['23514', 'data'],
  ['28000', 'unavailable'],
  ['42P01', 'broken'],
  ['42501', 'broken'],
] as const)('%s: %s', (code, remedy) => {
  expect(remedyFor(ofServer(code))).toBe(remedy)
})

test('what is not from the server is the way to it, also when its code looks like an SQLSTATE', () => {
  expect(remedyFor(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))).toBe('unavailable')
  expect(remedyFor(new Error('Connection terminated unexpectedly'))).toBe('unavailable')
})

test('errors of a real server are distinguished', async () => {
  const { ownerUrl } = await emptyDatabase()
  const client = await connectPostgres(ownerUrl)
  const remedyOf = (text: string) => client.query(text).then(() => 'none', remedyFor)
  expect(await remedyOf(`select 'a'::int`)).toBe('data')
  expect(await remedyOf('select from nowhere')).toBe('broken')
  expect(await remedyOf('select pg_terminate_backend(pg_backend_pid())')).toBe('unavailable')
})
