/**
 * `make check`: runs every npm script whose name begins with `check:`, all of them even when one fails, and shows what
 * a failed one said. To add a check, add a script.
 *
 * Exits with 0 when all passed, with 1 when one failed.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { openTerminal } from '../platform/command-line/terminal.ts'

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
const names = Object.keys(scripts).filter((name) => name.startsWith('check:'))
const width = Math.max(...names.map((name) => name.length))

const terminal = openTerminal()

const passed = { count: 0 }
for (const name of names) {
  const ended = ({ ok }: { readonly ok: boolean }) => `${ok ? '✓' : '✗'} ${name.padEnd(width)}`
  const { ok, output } = await terminal.during(name, () => run(name), ended)
  if (ok) passed.count += 1
  if (!ok) process.stdout.write(`\n${output.trim()}\n\n`)
}
const failed = names.length - passed.count
process.stdout.write(
  failed === 0
    ? `${passed.count} checks passed\n`
    : `${passed.count} checks passed, ${failed} failed: run one alone with npm run NAME; make fix mends format and lint\n`,
)
process.exitCode = failed === 0 ? 0 : 1

/** The script's own command, by a shell, as npm runs it: node_modules/.bin is on the PATH already. */
function run(name: string): Promise<{ readonly ok: boolean; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(scripts[name] ?? '', { shell: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const output: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ ok: code === 0, output: Buffer.concat(output).toString() }))
  })
}
