import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { RUNBOOK_FILES, writeRules } from '../../stack/write-rules.ts'

const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-rules-'))
afterAll(() => rmSync(dir, { recursive: true }))

const linksOf = (...where: [grafanaUrl: string | undefined, runbooks: string]) => {
  const rules = writeRules(dir, ...where).map((path) => readFileSync(path, 'utf8'))
  return [...rules.join('').matchAll(/runbook_url: ([^\s#]+)/g)].map(([, link = '']) => link)
}

test('without Grafana every alert of a local platform links to a runbook that is there', () => {
  const links = linksOf(undefined, RUNBOOK_FILES)
  expect(links.length).toBeGreaterThan(20)
  expect(links.filter((link) => !existsSync(fileURLToPath(link)))).toEqual([])
})

test('with Grafana it links to the board there', () => {
  for (const link of linksOf('http://127.0.0.1:3999', RUNBOOK_FILES))
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:3999\/d\/hopwhistle-runbooks\/[a-z-]+\?viewPanel=panel-\d+$/)
})

test('with an address of the runbooks it links to files there', () => {
  for (const link of linksOf(undefined, 'https://example.com/runbooks'))
    expect(link).toMatch(/^https:\/\/example\.com\/runbooks\/[a-z-]+\.md$/)
})
