import { BASELINE_SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import { expect, test } from 'vitest'
import type { LoadtestResult } from '../../bench/evidence/loadtest-result.ts'
import { judge } from '../../bench/judge/judge.ts'
import { renderMarkdown } from '../../bench/judge/render-markdown.ts'
import { renderTable } from '../../bench/judge/render-table.ts'
import { type ResultOptions, resultWith, withCounters } from '../fixtures/result-with.ts'

const judged = (options: ResultOptions): LoadtestResult => {
  const result = resultWith(options)
  return { ...result, verdict: { ...judge(result) } }
}
const all = (options: ResultOptions = {}) => BASELINE_SCENARIOS.map((scenario) => judged({ ...options, scenario }))

test('the table has columns, with unit and target next to each figure', () => {
  expect(renderTable(all(), { colour: false })).toBe(
    [
      '  call-state-updates   505.0 upd/s ✓ ≥500                     p95 38 ms ✓ <300  p99 76 ms ✓ <500  100 % ✓ >95 %',
      "  limited by           nothing; nearest to its limit is the machine's CPU, 40 %",
      '',
      '  reporting-endpoints  101.0 req/s ✓ ≥100  p50  12 ms ✓ <150  p95 48 ms ✓ <300  p99 96 ms ✓ <500  100 % ✓ >98 %',
      "  limited by           nothing; nearest to its limit is the machine's CPU, 40 %",
      '',
      '  redis-pubsub         505.0 msg/s ✓ ≥500  p50 9.9 ms ✓ <50   p95 38 ms ✓ <100  p99 77 ms ✓ <200  100 % ✓ >95 %',
      "  limited by           nothing; nearest to its limit is the machine's CPU, 40 %",
      '',
      '  All 14 targets met. Next: `git diff docs/performance-baselines.md` shows what changed',
      '',
    ].join('\n'),
  )
})

test('it fits a terminal of 120 columns, reasons included', () => {
  const text = renderTable(all({ slowness: 9, runner: withCounters({ k6_dropped_iterations: 12 }) }), { colour: false })
  expect(text.split('\n').filter((line) => line.length > 120)).toEqual([])
  expect(text).toContain('invalid              generator: k6 dropped 12 iterations')
})

const withSteps = (options: ResultOptions, ...rates: number[]): LoadtestResult => {
  const steps = rates.map((stepPerSecond) => resultWith({ stepPerSecond, slowness: stepPerSecond > 310 ? 9 : 1 }))
  const result = { ...resultWith(options), steps }
  return { ...result, verdict: { ...judge(result) } }
}

test('what was carried instead of the target stands in the place of the rate, and how it was found below', () => {
  const text = renderTable([withSteps({ slowness: 9 }, 250, 375, 310)], { colour: false })
  expect(text.split('\n').slice(0, 3)).toEqual([
    expect.stringMatching(/^ {2}call-state-updates {2}310 upd\/s ✗ ≥500 {2}p95 3\d\d ms ✗ <300 .* 100 % ✓ >95 %$/),
    '  carried             310 updates/s, p95 38 ms, p99 77 ms; tried: 250 held, 375 missed and 310 held',
    expect.stringMatching(/^ {2}limited by {10}at 375 a second: p95 latency is 3\d\d ms; the target is <300 ms$/),
  ])
})

test('figures of an invalid full load stay marked next to the rate that was carried', () => {
  const result = withSteps({ runner: withCounters({ k6_dropped_iterations: 12 }) }, 250, 375)
  const text = renderTable([result], { colour: false })
  expect(text).toMatch(/^ {2}call-state-updates {2}250 upd\/s ✗ ≥500 {2}p95 38 ms ! <300 {2}p99 76 ms ! <500 /)
  expect(text).toContain(
    'remark              the figures at 500 updates/s are not valid: generator: k6 dropped 12 iter',
  )
  expect(renderMarkdown([result])).toContain('| ≥ 500 updates/s | 250 updates/s carried | ❌ |')
  expect(renderMarkdown([result])).toContain('| ⚠️ invalid |')
})

test('colour is there only when it is asked for', () => {
  expect(renderTable(all(), { colour: true })).toContain('\x1b[32m✓\x1b[0m')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is the point
  expect(renderTable(all(), { colour: true }).replaceAll(/\x1b\[\d+m/g, '')).toBe(renderTable(all(), { colour: false }))
})

test('the last line says what to do next', () => {
  const last = (results: readonly LoadtestResult[], keptBy?: string) =>
    renderTable(results, { colour: false, keptBy }).trimEnd().split('\n').at(-1)?.trim()
  expect(last([judged({ slowness: 9 })])).toBe(
    '2 of 4 targets missed. Next: the recommendations in docs/performance-baselines.md',
  )
  expect(last([judged({ slowness: 9 })], '`collect --document`')).toBe(
    '2 of 4 targets missed. Next: `collect --document` writes the recommendations in docs/performance-baselines.md',
  )
  expect(last(all(), '`collect --document`')).toBe(
    'All 14 targets met. Next: `collect --document` keeps this as a baseline',
  )
  expect(last([judged({ runner: withCounters({ k6_dropped_iterations: 1 }) })])).toBe(
    'Invalid: call-state-updates. Next: fix the reasons above and run again',
  )
  expect(last(all({ profile: 'smoke' }))).toBe(
    'Everything works together. A smoke run proves no more; next: `make baseline` measures the targets',
  )
  expect(last([])).toBe('Nothing was measured. Next: `make baseline`')
})

test('the summary of a job has every target as a row, and the reasons', () => {
  const text = renderMarkdown(all({ slowness: 9 }))
  expect(text.match(/^\| .* \| [≥><] /gm)).toHaveLength(14)
  expect(text).toContain('| call-state-updates | Throughput | ≥ 500 updates/s | 505.0 updates/s | ✅ |')
  expect(text).toMatch(/- \*\*call-state-updates\*\*, missed: p95 latency is \d+ ms; the target is <300 ms/)
})
