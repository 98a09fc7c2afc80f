import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CHECKOUT, run } from './run.ts'
import { scratchFolder } from './scratch-folder.ts'

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

function lint(path: string, code: string) {
  const folder = scratchFolder({ [path]: code })
  mkdirSync(join(folder, 'tooling'))
  for (const file of ['biome.json', 'tooling/only-main-touches-the-process.grit'])
    cpSync(join(CHECKOUT, file), join(folder, file))
  return run('biome', ['check', path], { cwd: folder })
}
