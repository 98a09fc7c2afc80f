import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CHECKOUT } from './run.ts'

const read = (path: string) => readFileSync(join(CHECKOUT, path), 'utf8')
const documents = execFileSync('git', ['ls-files', '*.md'], { cwd: CHECKOUT, encoding: 'utf8' }).trim().split('\n')

const targets = new Set([...read('Makefile').matchAll(/^([a-z][a-z0-9-]*):/gm)].map(([, name]) => name))
const scripts = new Set(
  ['package.json', 'api/package.json'].flatMap((path) => Object.keys(JSON.parse(read(path)).scripts ?? {})),
)
const NPM_COMMANDS = new Set(['ci', 'install', 'run', 'exec', 'test'])

describe.each(documents)('%s', (path) => {
  const text = read(path)

  test('links to what exists', () => {
    const links = [...text.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]*)?\)/g)]
      .map(([, file = '']) => (file === '' ? path : join(dirname(path), file)))
      .filter((file) => !existsSync(join(CHECKOUT, file)))
    expect(links).toEqual([])
  })

  test('links to headings that exist', () => {
    const missing = [...text.matchAll(/\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)/g)].flatMap(
      ([, file = '', anchor = '']) => {
        const target = file === '' ? path : join(dirname(path), file)
        return existsSync(join(CHECKOUT, target)) && !anchors(read(target)).has(anchor) ? [`${target}#${anchor}`] : []
      },
    )
    expect(missing).toEqual([])
  })

  test('names make targets and npm scripts that exist', () => {
    const code = [...text.matchAll(/```(\w*)\n([\s\S]*?)```|`([^`\n]+)`/g)].flatMap(([, language, block, inline]) =>
      language === '' ? [] : [block ?? inline ?? ''],
    )
    const unknown = code.flatMap((piece) => [
      ...[...piece.matchAll(/(?:^|[\s;&])make ([a-z][a-z0-9-]*)/g)].filter(([, name = '']) => !targets.has(name)),
      ...[...piece.matchAll(/(?:^|[\s;&])npm run (?:--silent )?([a-z][\w:-]*)/g)].filter(
        ([, name = '']) => !scripts.has(name),
      ),
      ...[...piece.matchAll(/(?:^|[\s;&])pnpm ([a-z][\w:-]*)/g)].filter(
        ([, name = '']) => !scripts.has(name) && !NPM_COMMANDS.has(name),
      ),
    ])
    expect(unknown.map(([match]) => match.trim())).toEqual([])
  })
})

/** As GitHub makes them of headings. */
function anchors(markdown: string): ReadonlySet<string> {
  const headings = [...markdown.replaceAll(/```[\s\S]*?```/g, '').matchAll(/^#+ (.*)$/gm)]
  return new Set(
    headings.map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  )
}
