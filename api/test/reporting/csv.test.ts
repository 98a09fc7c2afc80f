import fc from 'fast-check'
import { expect, test } from 'vitest'
import { csvLine, csvText } from '../../src/reporting/csv.ts'

test.each([
  ['=HYPERLINK("http://evil.example.com")', `"'=HYPERLINK(""http://evil.example.com"")"`],
  ['+1+cmd', "'+1+cmd"],
  ['-2+3', "'-2+3"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\t=1', `"'\t=1"`],
  ['\r=1', `"'\r=1"`],
  ['＝1+1', "'＝1+1"],
  ["'quoted", "''quoted"],
  // Telephone numbers stay what they are; what only looks like one does not.
  ['+4930123456', '+4930123456'],
  ['+1', '+1'],
  ['+49 30 123456', "'+49 30 123456"],
  ['+1-415-555-0100', "'+1-415-555-0100"],
  ['+', "'+"],
  ['sip:alice@example.com', 'sip:alice@example.com'],
  ['anonymous', 'anonymous'],
  ['a,b', '"a,b"'],
  ['a;b', '"a;b"'],
  ['say "hi"', '"say ""hi"""'],
  ['two\nlines', '"two\nlines"'],
  ['', ''],
  [null, ''],
])('%j is written as %s', (given, written) => {
  expect(csvText(given)).toBe(written)
})

test('every text is read back, and none begins as a formula', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.stringMatching(/^[=+\-@\t\r'",\n]{1,4}.{0,8}$/))
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), (given) => {
      const line = csvLine(given.map(csvText))
      const fields = parse(line)
      expect(fields.map((field) => field.replace(/^'/, ''))).toEqual(given)
      for (const field of fields) expect(/^[=+\-@\t\r\n]/.test(field) && !/^\+\d+$/.test(field)).toBe(false)
    }),
  )
})

/** One line of RFC 4180. */
function parse(line: string): string[] {
  expect(line.endsWith('\r\n')).toBe(true)
  const fields: string[] = []
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy
  for (let match = pattern.exec(line); match !== null; match = pattern.exec(line)) {
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
    if (match[3] === '\r\n') break
  }
  expect(pattern.lastIndex).toBe(line.length)
  return fields
}
