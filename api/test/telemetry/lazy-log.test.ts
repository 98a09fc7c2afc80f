import { pino } from 'pino'
import { expect, test } from 'vitest'
import { lazyLog } from '../../src/telemetry/lazy-log.ts'

test('a request that writes nothing makes no log, and one that does has one, with its id', () => {
  const lines: string[] = []
  const log = pino({ level: 'info' }, { write: (line) => lines.push(line) })
  let made = 0
  const ofRequest = lazyLog(() => {
    made += 1
    return log.child({ reqId: 'r-1' })
  })
  expect(made).toBe(0)
  ofRequest.debug('not at this level')
  ofRequest.warn({ table: 'calls' }, 'first')
  ofRequest.child({ part: 'a' }).error('second')
  expect(made).toBe(1)
  expect(ofRequest.level).toBe('info')
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 40, reqId: 'r-1', table: 'calls', msg: 'first' },
    { level: 50, reqId: 'r-1', part: 'a', msg: 'second' },
  ])
})
