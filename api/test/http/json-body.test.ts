import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MalformedBody } from '../../src/errors/catalogue.ts'
import { parseJsonBody } from '../../src/http/json-body.ts'

const roundTrip = (text: string) => JSON.stringify(parseJsonBody(Buffer.from(text)))

test('numbers that a double cannot hold come out as they were written', () => {
  for (const text of [
    '{"n":9007199254740993}',
    '{"n":-9007199254740993}',
    '[0.1234567890123456789,12345678901234567890e-10]',
    '{"deep":[{"n":123456789012345678901234567890}]}',
  ]) {
    expect(roundTrip(text)).toBe(text)
  }
})

test('numbers that a double holds are read as numbers, however they are written', () => {
  expect(
    parseJsonBody(Buffer.from('{"a":1e3,"b":1.50,"c":9007199254740992,"d":-0.0,"e":100000000000000000000,"f":1E-2}')),
  ).toEqual({
    a: 1000,
    b: 1.5,
    c: 9007199254740992,
    d: -0,
    e: 1e20,
    f: 0.01,
  })
})

test('any JSON value that JSON.parse reads exactly is read alike', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(parseJsonBody(Buffer.from(text))).toEqual(JSON.parse(text))
    }),
  )
})

/** What a JSON number that is whole says, to its last digit: 1.2e+3 is 1200. */
function integer(text: string): bigint {
  const [mantissa = '', exponent = '0'] = text.split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return BigInt(whole + fraction) * 10n ** BigInt(Number(exponent) - fraction.length)
}

test('any integer comes out as it went in', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), (n) => {
      const [, written = ''] = /^\{"a":\[(.*)\]\}$/.exec(roundTrip(`{"a":[${n}]}`)) ?? []
      expect(integer(written)).toBe(n)
    }),
  )
})

test('bytes that are not UTF-8 are refused, wherever they are', () => {
  for (const text of ['{"eventId":"é"}', 'é', '{"é":1}']) {
    expect(() => parseJsonBody(Buffer.from(text, 'latin1'))).toThrow(expect.toSatisfy(MalformedBody.is))
    expect(() => parseJsonBody(Buffer.from(text, 'latin1'))).toThrow('not UTF-8')
  }
  expect(parseJsonBody(Buffer.from('\uFEFF{"a":"é"}'))).toEqual({ a: 'é' })
})

test('what is not JSON is refused, and an empty body says so', () => {
  for (const text of ['{', 'undefined', '{"a":1e}', '{"a":12345678901234567890,}', 'null x']) {
    expect(() => parseJsonBody(Buffer.from(text))).toThrow('not valid JSON')
  }
  expect(() => parseJsonBody(Buffer.alloc(0))).toThrow('empty')
})
