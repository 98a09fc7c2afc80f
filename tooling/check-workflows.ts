/**
 * `npm run check:workflows [-- FILE…]`: what actionlint says of .github/workflows, or of these files: syntax, expressions,
 * inputs of actions.
 *
 * Exits with 0 when it says nothing, with 1 when it does or cannot be had.
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { Failure } from '../platform/command-line/failure.ts'
import { openTerminal } from '../platform/command-line/terminal.ts'
import { findActionlint } from '../platform/tools/find-actionlint.ts'

try {
  const actionlint = await findActionlint(openTerminal())
  // The same result on every machine, whether it has these or not.
  const options = ['-shellcheck=', '-pyflakes=', '-oneline']
  const given = process.argv.slice(2)
  const files = given.length > 0 ? given : globSync('.github/workflows/*.yml')
  const { status, error } = spawnSync(actionlint, [...options, ...files], { stdio: 'inherit' })
  if (error !== undefined) throw new Failure(`${actionlint} cannot be run: ${error.message}`)
  process.exitCode = status === 0 ? 0 : 1
} catch (error) {
  if (!(error instanceof Failure)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
