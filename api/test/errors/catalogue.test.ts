import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as catalogue from '../../src/errors/catalogue.ts'

test('docs/errors.md lists exactly the catalogue, with status and title', () => {
  const documented = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
    .split('\n')
    .map((line) => /^\| `([\w-]+)` \| (\d+) \| ([^|]+) \|/.exec(line))
    .filter((row) => row !== null)
    .map(([, code, status, title]) => ({ code, status: Number(status), title }))
  const declared = Object.values(catalogue).map(({ code, status, title }) => ({ code, status, title }))
  const byCode = (a: { code: string | undefined }, b: { code: string | undefined }) => (a.code! < b.code! ? -1 : 1)
  expect(documented.toSorted(byCode)).toEqual(declared.toSorted(byCode))
})

test('an entry quotes what was given and what was expected, and knows its own', () => {
  const error = catalogue.UnknownState('RANG')
  expect(error.message).toBe(
    'state is "RANG"; it may be INITIATED, RINGING, ANSWERED, COMPLETED, BUSY, NO_ANSWER, FAILED, CANCELED',
  )
  expect(catalogue.UnknownState.is(error)).toBe(true)
  expect(catalogue.InvalidCursor.is(error)).toBe(false)
})
