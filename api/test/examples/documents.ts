import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

export type Example = { readonly where: string; readonly language: string; readonly text: string }

/** Every block of code of every page that a user reads. */
export function examples(): readonly Example[] {
  const files = [
    ...['README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'client/README.md', 'loadtests/README.md'],
    ...globSync(['docs/*.md', 'docs/decisions/*.md', 'dashboards/runbooks/*.md'], { cwd: ROOT }),
  ]
  return files.toSorted().flatMap((file) => {
    const text = readFileSync(`${ROOT}/${file}`, 'utf8')
    return [...text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^ *```$/gm)].map((block) => ({
      where: `${file}:${text.slice(0, block.index).split('\n').length}`,
      language: block[2] ?? '',
      text: (block[3] ?? '').replaceAll(new RegExp(`^${block[1]}`, 'gm'), ''),
    }))
  })
}

/** The commands of a shell block, each whole: quotes and backslashes may go over lines. */
export function commands(block: string): readonly string[] {
  const all: string[] = []
  let open = ''
  for (const line of block.split('\n')) {
    open += `${line}\n`
    const bare = open.replaceAll(/\\[^\n]/g, '').replaceAll(/'[^']*'|"[^"]*"/g, '')
    const isWhole = !/['"]/.test(bare.replaceAll(/(^|\s)#.*$/gm, '')) && !/\\\n$/.test(open)
    if (!isWhole) continue
    const command = open.trim()
    if (command !== '' && !command.startsWith('#')) all.push(command)
    open = ''
  }
  if (open.trim() !== '') throw new Error(`a command does not end: ${open}`)
  return all
}
