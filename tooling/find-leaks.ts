/**
 * Says which tracked files hold what must not leave a machine: secrets, addresses of package registries, and paths
 * that exist on one developer's disk only. Never shows a secret itself.
 *
 * Exits with 0 when there is none, with 1 when there is one.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { leaksIn } from './leaks.ts'

const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
})
  .split('\0')
  .filter((file) => file !== '')

const found = files.flatMap((file) => leaksIn(file, textOf(file)))
for (const { file, line, what } of found) process.stdout.write(`${file}:${line} ${what}\n`)
process.exitCode = found.length === 0 ? 0 : 1

/** Empty for a file that is not text, or that git still lists after it was removed. */
function textOf(file: string): string {
  try {
    const bytes = readFileSync(file)
    return bytes.includes(0) ? '' : bytes.toString('utf8')
  } catch (error) {
    if (['ENOENT', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}
