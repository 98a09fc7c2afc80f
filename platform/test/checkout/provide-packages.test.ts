import { lstatSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { checkoutAt } from '../../checkout/checkout-at.ts'
import { providePackages } from '../../checkout/provide-packages.ts'

test('a checkout of another version of Hopwhistle with the same packages gets those that are here, and its own contract', async () => {
  const parent = realpathSync(mkdtempSync(join(tmpdir(), 'hopwhistle-packages-')))
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }))
  const dir = join(parent, 'checkout')
  checkoutAt('HEAD', dir)
  const lockfile = join(dir, 'package-lock.json')
  const { version } = JSON.parse(readFileSync(lockfile, 'utf8')) as { readonly version: string }
  writeFileSync(
    lockfile,
    readFileSync(lockfile, 'utf8').replaceAll(
      `"@hopwhistle/contract": "${version}"`,
      '"@hopwhistle/contract": "9.9.9"',
    ),
  )
  const said: string[] = []
  await providePackages(dir, { signal: AbortSignal.timeout(30_000), onLine: (line) => said.push(line) })
  expect(said, 'npm is not asked').toEqual([])
  expect(lstatSync(join(dir, 'node_modules/pg')).isSymbolicLink()).toBe(true)
  expect(realpathSync(join(dir, 'node_modules/@hopwhistle/contract'))).toBe(join(dir, 'contract'))
})
