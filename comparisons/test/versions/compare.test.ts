/** From windows to words: what is one observation, which way is worse, and what the command ends with. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Program, program } from '@hopwhistle/platform/test-support/program.ts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { conclude, ruleFor } from '../../versions/conclude.ts'
import type { Both, ComparisonRecord, Round, WindowSide } from '../../versions/measured.ts'
import { effectsOf, METRICS } from '../../versions/metrics.ts'
import { renderSummary } from '../../versions/render-summary.ts'
import { comparison, windowSide } from './comparison.ts'

// Several start the command line, each twice or thrice.
vi.setConfig({ testTimeout: 120_000 })

const MARGIN = 0.05
const metric = (id: string) => METRICS.find((one) => one.id === id)!

describe('the effect of a round', () => {
  const [round] = comparison(1).rounds as readonly [Round]
  const withP50 = (...pairs: readonly Both<number>[]): Round => ({
    ...round,
    windows: pairs.map((pair) => {
      const of = (p50Ms: number): WindowSide => {
        const one = windowSide(() => 1)
        return { ...one, latency: { ...one.latency, p50Ms } }
      }
      return { kind: 'ingest', seconds: 3, idleShare: 0, sides: { base: of(pair.base), head: of(pair.head) } }
    }),
  })
  const p50 = metric('ingest.p50')

  test('is one number, the mean of the log ratios of its windows', () => {
    const [effect, ...others] = effectsOf(p50, [withP50({ base: 10, head: 20 }, { base: 40, head: 10 })])
    expect(effect).toEqual({ effect: expect.closeTo(Math.log(2) / 2 - Math.log(4) / 2, 12), servers: 0 })
    expect(others).toEqual([])
  })

  test('leaves out a window in which a side has no value, and a round that has no other', () => {
    const [effect] = effectsOf(p50, [withP50({ base: 10, head: 20 }, { base: 0, head: 10 })])
    expect(effect!.effect).toBeCloseTo(Math.log(2))
    expect(effectsOf(p50, [withP50({ base: 0, head: 10 }, { base: 10, head: 0 })])).toEqual([])
    expect(effectsOf(metric('live.p50'), [withP50({ base: 10, head: 10 })])).toEqual([])
  })

  test('is positive where it is worse: a higher latency, a lower rate', () => {
    const { rounds } = comparison(1, { latency: 1.1, rate: 0.9 })
    expect(effectsOf(p50, rounds)[0]!.effect).toBeGreaterThan(0)
    expect(effectsOf(metric('ingest.rate'), rounds)[0]!.effect).toBeCloseTo(-Math.log(0.9))
  })
})

test('every metric has a name of its own, a unit, and a value in every round', () => {
  const { rounds } = comparison(2)
  expect(new Set(METRICS.map(({ id }) => id)).size).toBe(METRICS.length)
  for (const one of METRICS) expect(effectsOf(one, rounds), one.id).toHaveLength(2)
})

describe('the conclusion', () => {
  const answers = (record: ComparisonRecord) => {
    const { answer, metrics } = conclude(record, ruleFor(MARGIN))
    return { answer, of: (id: string) => metrics.find((one) => one.metric.id === id)! }
  }

  test('is slower when one metric is, whatever the others are', () => {
    const { answer, of } = answers(comparison(30, { latency: 1.1, cpu: 0.8 }))
    expect(answer).toBe('slower')
    expect(of('ingest.p99').answer).toBe('slower')
    expect(of('ingest.cpu.api').answer).toBe('faster')
    expect(of('memory.api').answer).toBe('same')
  })

  test('is faster when nothing is slower or undecided, and else the same', () => {
    expect(answers(comparison(30, { cpu: 0.8 })).answer).toBe('faster')
    expect(answers(comparison(30)).answer).toBe('same')
  })

  test('is undecided while a single metric is', () => {
    expect(answers(comparison(30, { noise: 0.6 })).answer).toBe('undecided')
    expect(answers(comparison(3)).answer).toBe('undecided')
  })

  test('gives the change as it is, not as it is worse: a lower rate is negative, and so is its interval', () => {
    const { change, interval, answer } = answers(comparison(30, { rate: 0.8 })).of('reports.rate')
    expect(answer).toBe('slower')
    expect(change).toBeCloseTo(Math.log(0.8))
    expect(interval.low).toBeLessThan(Math.log(0.8))
    expect(interval.high).toBeGreaterThan(Math.log(0.8))
    expect(interval.high).toBeLessThan(0)
  })
})

describe('the summary', () => {
  const summary = (record: ComparisonRecord) => renderSummary(record, conclude(record, ruleFor(MARGIN)), MARGIN)

  test('begins with the answer, and has a row for each metric', () => {
    const text = summary(comparison(30, { latency: 1.2 }))
    expect(text).toMatch(/^# Did it get slower\?\n\n❌ \*\*Slower: .*Call events: p50 \(\+20 %\)/)
    expect(text).toContain('This checkout (`bbbbbbb` with changes) compared with `main` (`aaaaaaa`), in 30 rounds')
    for (const { label } of METRICS) expect(text).toMatch(new RegExp(`^\\| ${label} +\\|`, 'm'))
    expect(text).not.toMatch(/undefined|NaN|Infinity/)
  })

  test('says what is missing while it is undecided', () => {
    expect(summary(comparison(2))).toContain('It is too early to tell how many more minutes would decide.')
    expect(summary(comparison(5))).toMatch(/Undecided: 2\d of 24 metrics\. About \d+ more minutes? would decide\./)
    expect(summary(comparison(12, { noise: 3 }))).toContain('More minutes like these would not decide all of them.')
    expect(summary(comparison(0))).not.toMatch(/undefined|NaN|Infinity/)
  })
})

describe('compare --from', () => {
  let here: Program
  beforeAll(() => {
    here = program(new URL('../../main.ts', import.meta.url))
  })
  afterAll(() => here.remove())
  const from = (record: object, ...args: string[]) => {
    const path = join(here.tempDir, 'compare.json')
    writeFileSync(path, JSON.stringify(record))
    return here.run('compare', '--from', path, ...args)
  }

  test.each([
    [0, 'The same', {}],
    [0, 'Faster', { cpu: 0.8 }],
    [1, 'Slower', { latency: 1.2 }],
    [2, 'Undecided', { noise: 0.6 }],
  ])('ends with %d for: %s', async (code, told, factors) => {
    const ended = await from(comparison(30, factors))
    expect(ended).toMatchObject({ code, stderr: '' })
    expect(ended.stdout).toContain(`**${told}:`)
  })

  test('takes another margin', async () => {
    expect((await from(comparison(30, { latency: 1.2 }), '--margin', '30')).code).toBe(0)
  })

  test('writes its page where it is told to', async () => {
    const page = join(here.tempDir, 'page.html')
    const { code, stderr } = await from(comparison(30, { latency: 1.2 }), '--report', page)
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    expect(readFileSync(page, 'utf8')).toContain('✘ slower')
  })

  test('refuses what is no comparison', async () => {
    const { code, stderr } = await from({ format: 'other/1' })
    expect(code).toBe(2)
    expect(stderr).toContain('has the format "other/1"; expected "hopwhistle-compare/1"')
    expect((await here.run('compare', '--from', join(here.tempDir, 'none'))).stderr).toContain('cannot be read')
  })

  test.each([
    ['', '--base is missing'],
    ['--base no-such-commit', `the base "no-such-commit" is no commit of this clone's history`],
    ['--base HEAD --head no-such-commit', `the head "no-such-commit" is no commit of this clone's history`],
    ['--base HEAD --minutes 0', '--minutes is "0"'],
    ['--base HEAD --margin x', '--margin is "x"'],
    ['--base HEAD --report page.html', '--report needs --from'],
  ])('compare %s is told', async (args, told) => {
    const { code, stderr } = await here.run('compare', ...args.split(' ').filter(Boolean))
    expect(code).toBe(2)
    expect(stderr).toContain(told)
  })
})
