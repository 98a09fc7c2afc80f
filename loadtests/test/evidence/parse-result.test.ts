import { expect, test } from 'vitest'
import { parseResult } from '../../bench/evidence/parse-result.ts'
import { judge } from '../../bench/judge/judge.ts'
import { type ResultOptions, resultWith, withCounters } from '../fixtures/result-with.ts'

/** What a file holds: nothing that only JavaScript knows. */
const written = (options: ResultOptions = {}) => JSON.parse(JSON.stringify(resultWith(options)))
const parsed = (value: unknown) => parseResult(JSON.stringify(value))

test('a result is read as it was written, with its servers, environment, verdict and steps', () => {
  const step = written({ stepPerSecond: 250 })
  const result = { ...written(), steps: [step], disturbed: step, verdict: judge(resultWith()) }
  expect(parsed(result)).toEqual(result)
})

const { runners, ...withoutRunners } = written()
const WRONG: readonly (readonly [what: string, value: unknown, said: string])[] = [
  ['nothing', null, 'its format is "undefined"; expected "hopwhistle.loadtest/1"'],
  ['another format', { format: 'other/1' }, 'its format is "other/1"; expected "hopwhistle.loadtest/1"'],
  ['another scenario', { ...written(), scenario: 'coffee' }, 'scenario is "coffee"; it may be call-state-updates, '],
  ['no runners', withoutRunners, "/ must have required property 'runners'"],
  ['another profile', { ...written(), profile: 'huge' }, '/profile must be equal to one of the allowed values'],
  [
    'a counter below 0',
    written({ runner: withCounters({ updates_ok_peak: -1 }) }),
    '/runners/0/counters/updates_ok_peak must be >= 0',
  ],
  [
    'a rate that is none',
    { ...written(), runners: [{ ...runners[0], settings: { ...runners[0].settings, targetPerSecond: 'fast' } }] },
    '/runners/0/settings/targetPerSecond must be number',
  ],
  [
    'servers without samples',
    { ...written(), server: { ...written().server, atSeconds: 1 } },
    '/server/atSeconds must',
  ],
  ['an empty environment', { ...written(), environment: {} }, "/environment must have required property 'machine'"],
  ['a step that is none', { ...written(), steps: [{}] }, "/steps/0 must have required property 'expectedRunners'"],
]

test.each(WRONG)('%s is refused, and what is wrong is named', (_, value, said) => {
  expect(() => parsed(value)).toThrow(said)
})

test('servers in a format that is not understood are left out, and the rest is judged', () => {
  const result = { ...written(), server: { format: 'hopwhistle.server/9' } }
  expect(parsed(result)).not.toHaveProperty('server')
})
