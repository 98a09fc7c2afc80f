import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { imageTag } from '../../cluster/image-tag.ts'
import { CHECKOUT } from '../run.ts'
import { scratchFolder } from '../scratch-folder.ts'

function context() {
  const folder = scratchFolder({
    '.dockerignore': '# only these\n*\n!lock.json\n!src\n!contract/*.ts\n',
    'lock.json': '{}',
    'src/deep/main.ts': 'run()',
    'contract/limits.ts': '1',
    'contract/package.json': '{}',
    'docs/readme.md': 'read me',
    Dockerfile: 'FROM scratch',
  })
  const tag = () => imageTag(folder, 'Dockerfile')
  return { tag, write: (path: string, content: string) => writeFileSync(join(folder, path), content) }
}

test('an image has the same tag until something that it is built from changes', () => {
  const { tag, write } = context()
  const before = tag()
  expect(before).toMatch(/^[0-9a-f]{12}$/)
  write('docs/readme.md', 'changed')
  write('contract/package.json', '{"changed": true}')
  expect(tag()).toBe(before)
})

test.each([
  ['src/deep/main.ts', 'walk()'],
  ['src/new.ts', ''],
  ['lock.json', '[]'],
  ['contract/limits.ts', '2'],
  ['Dockerfile', 'FROM node'],
])('%s with other content is another image', (path, content) => {
  const { tag, write } = context()
  const before = tag()
  write(path, content)
  expect(tag()).not.toBe(before)
})

test('every file that the Dockerfile of the API copies is let in, so that the tag knows of it', () => {
  const dockerfile = readFileSync(join(CHECKOUT, 'api/Dockerfile'), 'utf8')
  const letIn = readFileSync(join(CHECKOUT, '.dockerignore'), 'utf8').split('\n')
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, paths]) => paths!.split(' '))
  expect(copied.length).toBeGreaterThan(3)
  for (const path of copied)
    expect(letIn.some((rule) => rule === `!${path}` || rule.startsWith(`!${path}/`))).toBe(true)
})
