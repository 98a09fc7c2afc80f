/** The comparison, small: that it reaches figures, and that they are made of something. Never how fast anything was. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PartRecord } from '../bench/peers/record.ts'
import { type Bench, bench, type Ended } from './support/bench.ts'

let here: Bench
let ended: Ended
beforeAll(async () => {
  here = bench()
  ended = await here.run('peers', '--only', 'ingest', '--quick', '--results-dir', `${here.tempDir}/results`)
}, 60_000)
afterAll(() => here.remove())

test('ingest is measured beside a route that stores nothing and a transaction for each request', () => {
  expect(ended.code, ended.stderr).toBe(0)
  const { figures, notes } = JSON.parse(readFileSync(`${here.tempDir}/results/peers-ingest.json`, 'utf8')) as PartRecord
  expect(figures.length).toBeGreaterThan(5)
  for (const { id, rounds, meaning } of figures) {
    expect(rounds, id).toEqual([expect.any(Number)])
    expect(rounds[0], id).toBeGreaterThan(0)
    expect(meaning).toMatch(/\.$/)
    expect(ended.stdout).toContain(figures.find((figure) => figure.id === id)!.label)
  }
  expect(notes.join('\n')).toMatch(/row by row: [\d,]+ events and [\d,]+ calls, none missing/)
})

test('nothing runs or lies about afterwards, and the figures of record stay as they are', () => {
  expect(here.leftProcesses()).toEqual([])
  expect(here.leftFiles()).toEqual(['results'])
  expect(ended.stdout).not.toContain('baselines')
})

test.each([
  ['--only nothing', 'the part is "nothing"; it may be ingest'],
  ['--rounds 0', '--rounds is "0"'],
])('peers %s is told', async (args, told) => {
  const { code, stderr } = await here.run('peers', ...args.split(' '))
  expect(code).toBe(2)
  expect(stderr).toContain(told)
})
