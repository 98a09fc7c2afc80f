import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromLogLines, toLogLines } from '../../scenarios/lib/result-lines.ts'

const text = (characters: number) => JSON.stringify({ x: 'é'.repeat(characters) })

test('whatever text goes into a log comes out of it, and every line is short enough to stay whole', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 9_000 }), (raw) => {
      const json = JSON.stringify(raw)
      const lines = toLogLines(json)
      expect(lines.every((line) => Buffer.byteLength(line) < 16 * 1024)).toBe(true)
      expect(fromLogLines(lines.join('\n'))).toBe(json)
    }),
    { examples: [['\u2028'], ['\u2029 \u0085 \r\n']] },
  )
})

test('what k6 says in between, before and after does no harm', () => {
  const json = text(20_000)
  const log = toLogLines(json).flatMap((line, i) => [`level=warning msg="Request Failed" n=${i}`, line])
  expect(fromLogLines(['', ...log, 'level=error msg="thresholds have been crossed"', ''].join('\n'))).toBe(json)
})

test('a line that is missing or damaged makes it no result, not a wrong one', () => {
  const lines = toLogLines(text(20_000))
  expect(lines.length).toBeGreaterThan(3)
  expect(fromLogLines(lines.toSpliced(1, 1).join('\n'))).toBeUndefined()
  expect(fromLogLines(lines.slice(0, -1).join('\n'))).toBeUndefined()
  expect(fromLogLines(lines.with(2, lines[2]!.replace('éé', 'éa')).join('\n'))).toBeUndefined()
})

test('of two results the last one counts', () => {
  const log = [...toLogLines('{"n":1}'), ...toLogLines('{"n":2}')].join('\n')
  expect(fromLogLines(log)).toBe('{"n":2}')
  expect(fromLogLines('nothing here')).toBeUndefined()
})
