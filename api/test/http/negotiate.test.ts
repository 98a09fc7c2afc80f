import fc from 'fast-check'
import { expect, test } from 'vitest'
import { negotiate } from '../../src/http/negotiate.ts'

const OFFERED = ['application/json', 'application/x-ndjson', 'text/csv'] as const
const JSON_TYPE = OFFERED[0]

test.each([
  [undefined, JSON_TYPE],
  ['', JSON_TYPE],
  ['*/*', JSON_TYPE],
  ['application/*', JSON_TYPE],
  ['application/json', JSON_TYPE],
  ['text/csv', 'text/csv'],
  ['TEXT/CSV; charset=utf-8', 'text/csv'],
  ['text/*', 'text/csv'],
  ['application/x-ndjson', 'application/x-ndjson'],
  // As curl, fetch and browsers ask.
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', JSON_TYPE],
  // What is named goes before what is only covered.
  ['text/csv, */*', 'text/csv'],
  ['*/*, text/csv', 'text/csv'],
  ['text/csv, application/json', JSON_TYPE],
  ['text/csv, application/json;q=0.9', 'text/csv'],
  ['text/csv;q=0.5, application/json;q=0.4, */*;q=0.1', 'text/csv'],
  ['application/json;q=0, */*', 'application/x-ndjson'],
  ['application/*;q=0, */*;q=0.1', 'text/csv'],
  ['text/csv;q=0.001, application/json;q=0', 'text/csv'],
  // A weight that is none makes the range none.
  ['text/csv;q=2, application/x-ndjson;q=0.1', 'application/x-ndjson'],
  ['text/csv;q=0.1234, application/x-ndjson;q=0.1', 'application/x-ndjson'],
  ['text/csv ; q=0.9 ; header=present, application/json;q=0.8', 'text/csv'],
])('Accept: %s is answered with %s', (accept, type) => {
  expect(negotiate(accept, OFFERED)).toBe(type)
})

test.each([
  'text/html',
  'application/json;q=0',
  '*/*;q=0',
  'text/csv;q=0, application/xml',
  'csv',
  ',',
  'application/jso',
])('Accept: %s is 406, and says what is offered', (accept) => {
  expect(() => negotiate(accept, OFFERED)).toThrow(
    expect.objectContaining({ status: 406, message: expect.stringContaining(OFFERED.join(', ')) }),
  )
})

test('whatever is sent, the answer is an offered type or 406', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (accept) => {
      try {
        expect(OFFERED).toContain(negotiate(accept, OFFERED))
      } catch (error) {
        expect(error).toMatchObject({ code: 'not-acceptable' })
      }
    }),
  )
})
