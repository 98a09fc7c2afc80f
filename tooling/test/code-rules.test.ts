import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CHECKOUT, run } from './run.ts'
import { scratchFolder } from './scratch-folder.ts'

const RULES = ['tooling/only-main-touches-the-process.grit', 'tooling/types-are-imported-by-name.grit']

const CODE = {
  'process.env': 'export const value = process.env.PORT\n',
  'process.exit': 'export const stop = () => process.exit(1)\n',
  'process.exitCode': 'process.exitCode = 1\n',
  'process.on': "process.on('SIGTERM', () => {})\n",
  'process.once': "process.once('SIGTERM', () => {})\n",
}

test.each(Object.entries(CODE))('%s is for main.ts and the commands alone', async (_name, code) => {
  expect(await lint('api/src/calls/ingest.ts', code)).toMatchObject({
    code: 1,
    output: expect.stringContaining('Only api/src/main.ts'),
  })
  expect(await lint('api/src/main.ts', code)).toMatchObject({ code: 0 })
  expect(await lint('api/src/commands/db-migrate.ts', code)).toMatchObject({ code: 0 })
})

test('the rest of process is for everyone', async () => {
  expect(await lint('api/src/health/health.ts', 'export const uptime = () => process.uptime()\n')).toMatchObject({
    code: 0,
  })
})

test('a type is imported at the top, where the import rules see it', async () => {
  expect(await lint('chaos/fault.ts', "export type T = import('../loadtests/bench/x.ts').T\n")).toMatchObject({
    code: 1,
    output: expect.stringContaining('the import rules do not see this form'),
  })
  expect(await lint('chaos/fault.ts', "export const load = () => import('./x.ts')\n")).toMatchObject({ code: 0 })
})

function lint(path: string, code: string) {
  const folder = scratchFolder({ [path]: code })
  mkdirSync(join(folder, 'tooling'))
  for (const file of ['biome.json', ...RULES]) cpSync(join(CHECKOUT, file), join(folder, file))
  return run('biome', ['check', path], { cwd: folder })
}
