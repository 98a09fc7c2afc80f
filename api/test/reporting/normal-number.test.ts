import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freshDatabase } from '../../../platform/test-support/fresh-database.ts'
import { normalNumber } from '../../src/reporting/normal-number.ts'

let owner: pg.Client
beforeAll(async () => {
  owner = new pg.Client({ connectionString: (await freshDatabase()).ownerUrl })
  await owner.connect()
})
afterAll(() => owner.end())

test.each([
  ['+49301234', '+49301234'],
  ['+49 30 1234', '+49301234'],
  ['tel:+49-30-1234', '+49301234'],
  ['TEL:+49.30.1234;ext=5', '+49301234'],
  ['+1 (415) 555-0100', '+14155550100'],
  ['+49/30/1234', '+49301234'],
  ['sip:+49301234@pbx.example.com;user=phone', '+49301234'],
  ['sips:+49301234:secret@pbx.example.com', '+49301234'],
  ['sip:%2B49301234@pbx.example.com', '+49301234'],
])('%s is %s', (given, normal) => {
  expect(normalNumber(given)).toBe(normal)
})

test.each([
  'anonymous',
  'client:tommy',
  'Alice',
  'sip:alice@example.com',
  'sip:anonymous@anonymous.invalid',
  '030 1234',
  '0049 30 1234',
  '0049301234',
  'tel:1234;phone-context=example.com',
  // Nobody can tell whether the 0 belongs to it.
  '+49 (0)30 1234',
  '+0 30 1234',
  '+4 ',
  '+1234 5678 9012 3456',
  '+49 30 1234@pbx.example.com',
  '+49 30 CALL',
])('%s is what it is', (given) => {
  expect(normalNumber(given)).toBe(given)
})

test('the normal form of a normal form is itself, and Postgres finds the same one for any text', async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '+',
      '0',
      '4',
      '9',
      '12',
      ' ',
      '-',
      '(',
      ')',
      '(0)',
      '.',
      '/',
      'tel:',
      'sip:',
      'SIPS:',
      '%2b',
      '%2B',
      ';x',
      '@',
      ':',
      '?',
      '\n',
    ),
    fc.string({ maxLength: 3 }),
  )
  const texts = fc.array(
    fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join('').replaceAll('\0', '').toWellFormed()),
    {
      minLength: 50,
      maxLength: 50,
    },
  )
  await fc.assert(
    fc.asyncProperty(texts, async (given) => {
      const { rows } = await owner.query<{ normal: string }>(
        `select hopwhistle.normal_number(one collate "C") as normal
         from unnest($1::text[]) with ordinality as given (one, place) order by place`,
        [given],
      )
      const here = given.map(normalNumber)
      expect(rows.map(({ normal }) => normal)).toEqual(here)
      expect(here.map(normalNumber)).toEqual(here)
    }),
    { numRuns: 100 },
  )
}, 60_000)
