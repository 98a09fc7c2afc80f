import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { FOLDER_VARIABLE } from '@hopwhistle/platform/machine/measure-alone.ts'
import { isOnThisMachine } from '@hopwhistle/platform/machine/own-addresses.ts'
import { identify } from '@hopwhistle/platform/machine/process-identity.ts'
import { program } from '@hopwhistle/platform/test-support/program.ts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { bench } from '../support/bench.ts'

vi.setConfig({ testTimeout: 60_000 })

const HOLD = fileURLToPath(new URL('./hold.ts', import.meta.url))
const SOON = { timeoutMs: 15_000 }
let dir: string
let children: ChildProcess[]

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hopwhistle-measuring-'))
  children = []
})
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
})

function hold(...args: readonly string[]) {
  const child = spawn(process.execPath, [HOLD, ...args], { env: { ...process.env, [FOLDER_VARIABLE]: dir } })
  children.push(child)
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (data) => (stdout += data))
  child.stderr.on('data', (data) => (stderr += data))
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, stderr }))
  })
  const hasBegun = () => stdout !== ''
  return {
    child,
    ended,
    hasBegun,
    begun: () => waitUntil('the measurement to begin', hasBegun, SOON),
    said: (text: string) => waitUntil(`"${text}"`, () => stderr.includes(text), SOON),
    end: () => {
      child.stdin.end()
      return ended
    },
  }
}

test('a second measurement is refused, and names the command and process that measure', async () => {
  const first = hold('main.ts baseline --profile full')
  await first.begun()
  const { code, stderr } = await hold('main.ts peers').ended
  expect(code).toBe(2)
  expect(stderr).toContain(`"main.ts baseline --profile full" (process ${first.child.pid}, since `)
  expect((await first.end()).code).toBe(0)
  expect(readdirSync(dir)).toEqual([])
})

test('other files in the folder hold up nobody, and stay', async () => {
  const others = { 'call-state-updates.json': '{"schemaVersion":1}', '12-34.json': '{}' }
  for (const [name, text] of Object.entries(others)) writeFileSync(join(dir, name), text)
  const first = hold('main.ts baseline')
  await first.begun()
  expect((await first.end()).code).toBe(0)
  expect(readdirSync(dir)).toEqual(['call-state-updates.json'])
})

test('with --wait it waits, says for what, and begins when the first has ended', async () => {
  const first = hold('main.ts baseline')
  await first.begun()
  const second = hold('main.ts peers', '--wait')
  await second.said('waiting for "main.ts baseline"')
  expect(second.hasBegun()).toBe(false)
  await first.end()
  await second.begun()
  expect((await second.end()).code).toBe(0)
})

test('a measurement that was killed holds up nobody', async () => {
  const killed = hold('main.ts baseline')
  await killed.begun()
  killed.child.kill('SIGKILL')
  await killed.ended
  const next = hold('main.ts peers')
  await next.begun()
  expect(readdirSync(dir)).toEqual([expect.stringMatching(new RegExp(`^${next.child.pid}-`))])
  await next.end()
})

test('a process that got the id of one that measured holds up nobody', async () => {
  const stranger = { ...identify(process.pid), started: 'earlier', command: 'main.ts baseline', since: '2026-01-01' }
  writeFileSync(join(dir, `${process.pid}-earlier.json`), JSON.stringify(stranger))
  const next = hold('main.ts peers')
  await next.begun()
  await next.end()
})

test('of many that begin at once, one measures, and all others name it', async () => {
  const all = Array.from({ length: 6 }, (_, i) => hold(`main.ts run ${i}`))
  const isOver = (one: (typeof all)[number]) => one.hasBegun() || one.child.exitCode !== null
  await waitUntil('all to begin or end', () => all.every(isOver), { timeoutMs: 40_000 })
  const winners = all.filter((one) => one.hasBegun())
  expect(winners).toHaveLength(1)
  const told = await Promise.all(all.filter((one) => !winners.includes(one)).map(({ ended }) => ended))
  for (const { code, stderr } of told) {
    expect(code).toBe(2)
    expect(stderr).toMatch(/^"main\.ts run \d" \(process \d+, since [\d:]+\) measures on this machine/)
  }
  await winners[0]!.end()
})

test('however many try at once and again, never two of them measure', async () => {
  const folder = join(dir, 'contend')
  mkdirSync(folder)
  const CONTEND = fileURLToPath(new URL('./contend.ts', import.meta.url))
  const env = { ...process.env, [FOLDER_VARIABLE]: dir }
  const contend = () => promisify(execFile)(process.execPath, [CONTEND, folder, '4'], { env })
  const times = await Promise.all(Array.from({ length: 4 }, async () => Number((await contend()).stdout)))
  expect(times.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(10)
})

const BENCH = new URL('../../bench/main.ts', import.meta.url)
const COMPARISONS = new URL('../../../comparisons/main.ts', import.meta.url)

test.each([
  ['baseline', BENCH, []],
  ['run', BENCH, ['--api-url', 'http://localhost:9']],
  ['measure', COMPARISONS, ['--only', 'ingest']],
] as const)('%s is refused before it starts anything', async (command, main, args) => {
  const first = hold('npm run chaos')
  await first.begun()
  const here = program(main, { [FOLDER_VARIABLE]: dir })
  try {
    const { code, stdout, stderr } = await here.run(command, ...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(`"npm run chaos" (process ${first.child.pid}, since `)
    expect(here.leftFiles()).toEqual([])
  } finally {
    here.remove()
    await first.end()
  }
})

test('a run of profile smoke may run during a measurement, because it proves nothing about speed', async () => {
  const first = hold('main.ts baseline')
  await first.begun()
  const here = bench({ [FOLDER_VARIABLE]: dir })
  const { stderr } = await here.run('run', '--profile', 'smoke', '--api-url', 'http://127.0.0.1:9')
  here.remove()
  expect(stderr).toContain('API_URL http://127.0.0.1:9 does not answer')
  await first.end()
})

test.each([
  ['http://localhost:3001', true],
  ['http://127.0.0.1:3001', true],
  ['http://[::1]:3001', true],
  ['http://192.0.2.1', false],
  ['http://nowhere.invalid', false],
])('whether %s leads to this machine is known: %s', async (url, is) => {
  expect(await isOnThisMachine(url)).toBe(is)
})
