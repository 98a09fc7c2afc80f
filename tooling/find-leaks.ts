/**
 * Says which files, tracked or about to be, hold what must not leave a machine: secrets, addresses of package
 * registries, and paths that exist on one developer's disk only. Never shows a secret itself.
 *
 * Exits with 0 when there is none, with 1 when there is one or gitleaks cannot be had.
 */
import { execFileSync } from 'node:child_process'
import { Failure } from '../platform/command-line/failure.ts'
import { openTerminal } from '../platform/command-line/terminal.ts'
import { findGitleaks } from '../platform/tools/find-gitleaks.ts'
import { leaksIn } from './leaks.ts'

const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
})
const files = new Set(listed.split('\0'))
try {
  const gitleaks = await findGitleaks(openTerminal())
  const found = leaksIn(process.cwd(), gitleaks, '.gitleaks.toml').filter(({ file }) => files.has(file))
  for (const { file, line, what } of found) process.stdout.write(`${file}:${line} ${what}\n`)
  process.exitCode = found.length === 0 ? 0 : 1
} catch (error) {
  if (!(error instanceof Failure)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
