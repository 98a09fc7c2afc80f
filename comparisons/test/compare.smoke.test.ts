/** Two versions, for one short round: that everything is measured, and nothing is left. Never how fast anything was. */
import { readFileSync } from 'node:fs'
import { type Ended, type Program, program } from '@hopwhistle/platform/test-support/program.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ComparisonRecord, KINDS, SIDES } from '../versions/measured.ts'
import { METRICS } from '../versions/metrics.ts'

let here: Program
let ended: Ended
const path = (name: string) => `${here.tempDir}/results/${name}`
beforeAll(async () => {
  here = program(new URL('../main.ts', import.meta.url))
  const load = ['--quick', '--load', '20', '--seed', '7']
  // This very commit as the base: a clone without history has no other.
  ended = await here.run('compare', '--base', 'HEAD', ...load, '--results-dir', `${here.tempDir}/results`)
}, 400_000)
afterAll(() => here.remove())

test('one round decides nothing, and says so', () => {
  expect(ended.code, ended.stderr).toBe(2)
  expect(ended.stdout).toContain('# Did it get slower?')
  expect(ended.stdout).toContain(`Undecided: ${METRICS.length} of ${METRICS.length} metrics`)
  expect(ended.stdout).toContain(readFileSync(path('compare.md'), 'utf8'))
  expect(readFileSync(path('compare.html'), 'utf8')).toContain('? undecided')
})

test('every metric of both versions is made of something, and what was acknowledged is stored', () => {
  const { rounds, versions, seed } = JSON.parse(readFileSync(path('compare.json'), 'utf8')) as ComparisonRecord
  expect(seed).toBe(7)
  expect(versions.base).toMatchObject({ ref: 'HEAD', commit: expect.stringMatching(/^[0-9a-f]{40}$/) })
  expect(versions.head).not.toHaveProperty('ref')
  expect(rounds).toHaveLength(1)
  const [round] = rounds
  expect(new Set(round!.windows.map(({ kind }) => kind))).toEqual(new Set(KINDS))
  for (const side of SIDES) {
    expect(round!.stored[side]).toBeGreaterThan(0)
    for (const { id, values } of METRICS) {
      expect(values(round!, side).length, `${side} ${id}`).toBeGreaterThan(0)
      for (const value of values(round!, side)) expect(value, `${side} ${id}`).toBeGreaterThan(0)
    }
  }
})

test('the windows that were kept give the same summary again', async () => {
  const again = await here.run('compare', '--from', path('compare.json'))
  expect(again).toMatchObject({ code: 2, stdout: readFileSync(path('compare.md'), 'utf8') })
})

test('Ctrl-C in a round leaves nothing', async () => {
  const { child, ended } = here.start('compare', '--base', 'HEAD', '--quick', '--results-dir', `${here.tempDir}/other`)
  child.stderr!.on('data', (text) => void (String(text).includes('… round 1') && child.kill('SIGINT')))
  const { code, stderr } = await ended
  expect(stderr).toContain('stopped before the end')
  expect(code).toBe(2)
  expect(here.leftProcesses()).toEqual([])
  expect(here.leftFiles()).toEqual(['results'])
}, 300_000)
