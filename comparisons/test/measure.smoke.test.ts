/** A small comparison: it produces figures from real data. Says nothing about speed. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type Ended, type Program, program } from '@hopwhistle/platform/test-support/program.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PartRecord } from '../record.ts'

let here: Program
let ended: Ended
const read = (part: string) => JSON.parse(readFileSync(`${here.tempDir}/results/${part}.json`, 'utf8')) as PartRecord
beforeAll(async () => {
  here = program(new URL('../main.ts', import.meta.url))
  // This very commit as the base: a clone without history has no other.
  const parts = ['ingest', 'event-cost', 'idle'].flatMap((part) => ['--only', part])
  ended = await here.run('measure', ...parts, '--quick', '--base', 'HEAD', '--results-dir', `${here.tempDir}/results`)
}, 400_000)
afterAll(() => here.remove())

test.each(['ingest', 'event-cost', 'idle'])('%s is measured, and every figure is made of something', (part) => {
  expect(ended.code, ended.stderr).toBe(0)
  const { base, figures } = read(part)
  expect(base).toMatch(/^[0-9a-f]{40}$/)
  expect(figures.length).toBeGreaterThan(4)
  for (const { id, label, rounds, meaning } of figures) {
    expect(rounds, id).toEqual([expect.any(Number)])
    expect(rounds[0], id).toBeGreaterThan(0)
    expect(meaning).toMatch(/\.$/)
    expect(ended.stdout).toContain(label)
  }
})

test('what was acknowledged by each contender is found in its database', () => {
  for (const part of ['ingest', 'event-cost']) {
    expect(read(part).notes.join('\n')).toMatch(/row by row: [\d,]+ events and [\d,]+ calls, none missing/)
  }
})

test('Ctrl-C while contenders are paused leaves nothing, the checkout of the base included', async () => {
  const { child, ended } = here.start('measure', '--only', 'event-cost', '--rounds', '20', '--quick', '--base', 'HEAD')
  child.stderr!.on(
    'data',
    (text) => void (String(text).includes('… event-cost: round 1 of 20, base') && child.kill('SIGINT')),
  )
  const { code, stderr } = await ended
  expect(stderr).toContain('stopped before the end')
  expect(code).toBe(2)
  expect(here.leftProcesses()).toEqual([])
  expect(here.leftFiles()).toEqual(['results'])
  const worktrees = execFileSync('git', ['worktree', 'list'], { cwd: import.meta.dirname, encoding: 'utf8' })
  expect(worktrees).not.toContain(here.tempDir)
}, 240_000)

test('nothing runs or lies about afterwards, and the figures of record stay as they are', () => {
  expect(here.leftProcesses()).toEqual([])
  expect(here.leftFiles()).toEqual(['results'])
  expect(ended.stdout).not.toContain('baselines')
})

test.each([
  ['--only nothing', 'the part is "nothing"; it may be ingest'],
  ['--rounds 0', '--rounds is "0"'],
  ['--only event-cost --base no-such-commit', `the base "no-such-commit" is no commit of this clone's history`],
])('measure %s is told', async (args, told) => {
  const { code, stderr } = await here.run('measure', ...args.split(' '))
  expect(code).toBe(2)
  expect(stderr).toContain(told)
})
