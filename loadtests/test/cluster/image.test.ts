/** The image of loadtests/Dockerfile: the program starts with the files that are let into it, and with no other. */
import { execFile } from 'node:child_process'
import { cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'

let image: string
beforeAll(() => {
  image = mkdtempSync(join(tmpdir(), 'hopwhistle-image-'))
  const lines = readFileSync(join(CHECKOUT, 'loadtests/Dockerfile.dockerignore'), 'utf8').split('\n')
  expect(lines[0]).toBe('*')
  for (const path of globSync(
    lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1)),
    { cwd: CHECKOUT },
  )) {
    mkdirSync(dirname(join(image, path)), { recursive: true })
    cpSync(join(CHECKOUT, path), join(image, path), {
      recursive: true,
      filter: (from) => !from.includes('node_modules'),
    })
  }
  const packages = join(image, 'node_modules')
  mkdirSync(join(packages, '@hopwhistle'), { recursive: true })
  for (const name of readdirSync(join(CHECKOUT, 'node_modules'))) {
    if (name !== '@hopwhistle') symlinkSync(join(CHECKOUT, 'node_modules', name), join(packages, name))
  }
  for (const name of ['contract', 'platform']) symlinkSync(join(image, name), join(packages, '@hopwhistle', name))
})
afterAll(() => rmSync(image, { recursive: true, force: true }))

const bench = (...args: readonly string[]) =>
  promisify(execFile)('node', ['loadtests/bench/main.ts', ...args], {
    cwd: image,
    env: { ...process.env, KUBECONFIG: join(image, 'none') },
  }).then(
    ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
    (error: { readonly code: number; readonly stdout: string; readonly stderr: string }) => ({
      code: error.code,
      said: error.stdout + error.stderr,
    }),
  )

test('it says what it can do, and what is wrong with a cluster that it cannot reach', async () => {
  const help = await bench('run', '--help')
  expect(help.said).toContain('--missed-exit-code')
  expect(help.code).toBe(0)
  const { code, said } = await bench('run', 'call-state-updates', '--cluster', '--wait')
  expect(said).not.toContain('ERR_MODULE_NOT_FOUND')
  expect(code, said).toBe(2)
})
