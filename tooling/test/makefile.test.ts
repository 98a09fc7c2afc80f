import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CHECKOUT, run } from './run.ts'

const makefile = readFileSync(join(CHECKOUT, 'Makefile'), 'utf8')
const targets = /^\.PHONY: (.*)$/m.exec(makefile)?.[1]?.split(' ') ?? []
/** Only what others build on. */
const INTERNAL = ['tools']

test('make alone lists every target with its one line', async () => {
  const { code, output } = await run('make', [])
  expect(code).toBe(0)
  expect(targets.length).toBeGreaterThan(10)
  for (const target of targets.filter((name) => !INTERNAL.includes(name)))
    expect(output).toMatch(new RegExp(`^  ${target} +\\S`, 'm'))
  expect(output.split('\n').every((line) => line.length <= 120)).toBe(true)
})

test('every variable of a recipe is defined, but for what callers may give', () => {
  const used = [...makefile.matchAll(/\$\(([A-Z]+)\)/g)].map(([, name]) => name)
  const defined = [...makefile.matchAll(/^([A-Z]+) [:?]?=/gm)].map(([, name]) => name)
  expect(used).toContain('COMPARISONS')
  expect(
    used.filter(
      (name) => ![...defined, 'CURDIR', 'MAKECMDGOALS', 'HEAD', 'MONITOR', 'SIZE', 'SOAK', 'VOLUME'].includes(name),
    ),
  ).toEqual([])
})

const version = Number(/GNU Make (\d+)/.exec(execFileSync('make', ['--version'], { encoding: 'utf8' }))?.[1])

describe.skipIf(version < 4)('with GNU make 4 or newer', () => {
  test.each([0, 1, 2])('make baseline ends with %d when the measurement does', async (exit) => {
    expect(await run('make', ['baseline', `BENCH=sh -c 'exit ${exit}'`])).toMatchObject({ code: exit })
  })

  test('make baseline hands over the profile, and no make flags', async () => {
    const { output } = await run('make', ['baseline', 'PROFILE=smoke', `BENCH=sh -c 'echo "$$* $$MAKEFLAGS."' -`])
    expect(output).toBe('baseline --profile smoke .\n')
  })

  test.each([0, 1, 2])('make compare ends with %d when the comparison does', async (exit) => {
    expect(await run('make', ['compare', `COMPARISONS=sh -c 'exit ${exit}'`])).toMatchObject({ code: exit })
  })

  test('make compare hands over both versions and the time', async () => {
    const echo = 'COMPARISONS=echo'
    expect((await run('make', ['compare', echo])).output).toBe('compare --base main --minutes 15\n')
    const { output } = await run('make', ['compare', 'BASE=v1', 'HEAD=v2', 'MINUTES=3', echo])
    expect(output).toBe('compare --base v1 --head v2 --minutes 3\n')
  })

  test('make down status runs both', async () => {
    const { output } = await run('make', ['down', 'status', 'PLATFORM=echo platform'])
    expect(output).toContain('platform down\nplatform status\n')
  })
})
