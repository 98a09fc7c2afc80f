import { spawn } from 'node:child_process'
import { cpSync, globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { anEvent, type Platform, post, runningPlatform } from '../../api/test/platform/running-platform.ts'
import { waitUntil } from '../../platform/lib/wait-until.ts'
import { CHECKOUT, run } from '../../tooling/test/run.ts'
import { scratchFolder } from '../../tooling/test/scratch-folder.ts'

let platform: Platform
beforeAll(async () => {
  platform = await runningPlatform()
})
afterAll(() => platform.close())

/** The folder of a package that this checkout has. */
const installed = (name: string) => dirname(dirname(createRequire(import.meta.url).resolve(name)))

test('the ten lines of the README work with the package as users install it', { timeout: 120_000 }, async () => {
  const { key } = await platform.newTenant()
  const readme = readFileSync(join(CHECKOUT, 'client/README.md'), 'utf8')
  const program = /```js\n([\s\S]*?)```/
    .exec(readme)![1]!
    .replace('http://localhost:3001', platform.instances[0]!.url)
    .replace('test-api-key', key)
  const folder = scratchFolder({ 'package.json': '{ "type": "module" }', 'ten-lines.js': program })
  const packed = await run('npm', ['pack', '--workspace', '@hopwhistle/client', '--pack-destination', folder])
  expect(packed.code, packed.output).toBe(0)
  const modules = join(folder, 'node_modules')
  const [archive = 'none'] = globSync('hopwhistle-client-*.tgz', { cwd: folder })
  expect(readme).toContain(archive)
  expect(await run('tar', ['xzf', join(folder, archive), '-C', folder])).toMatchObject({ code: 0 })
  cpSync(join(folder, 'package'), join(modules, '@hopwhistle/client'), { recursive: true })
  cpSync(installed('openapi-fetch'), join(modules, 'openapi-fetch'), { recursive: true })

  const child = spawn(process.execPath, ['ten-lines.js'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      said += text
    })
  }
  const follows = async () => {
    expect(child.exitCode, said).toBeNull()
    await post(platform.instances[0]!, anEvent('ANSWERED', { callId: 'c-2' }), key)
    return said.includes('call.answered c-2')
  }
  await waitUntil('a message to be shown', follows, { timeoutMs: 60_000, everyMs: 250 })
  expect(said).toContain("applied RINGING\n[ 'c-1 RINGING'")
})
