import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { writeRaw } from '../record.ts'

function resultsDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-raw-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as { readonly n: number }

test('raw numbers of a quick comparison do not replace those of a complete one', async () => {
  const dir = resultsDir()
  const usual = join(dir, 'live.json')
  expect(await writeRaw('live', { complete: false, n: 1 }, dir)).toBe(usual)
  expect(await writeRaw('live', { complete: true, n: 2 }, dir)).toBe(usual)
  expect(await writeRaw('live', { complete: false, n: 3 }, dir)).toBe(join(dir, 'live.partial.json'))
  expect(read(usual).n).toBe(2)
  expect(await writeRaw('live', { complete: true, n: 4 }, dir)).toBe(usual)
  expect(read(usual).n).toBe(4)
})
