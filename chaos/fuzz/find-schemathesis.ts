import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../../platform/command-line/failure.ts'
import type { Terminal } from '../../platform/command-line/terminal.ts'
import { CHECKOUT } from '../../platform/lib/checkout.ts'
import { isExecutable, onPath, runProgram } from '../../platform/machine/run-program.ts'

/**
 * The path of schemathesis: $SCHEMATHESIS, or from the PATH, or where `findSchemathesis` installed it.
 *
 * @throws {Failure} when the variable does not name an executable file
 */
export function lookForSchemathesis(): string | undefined {
  const given = process.env.SCHEMATHESIS
  if (given !== undefined && given !== '') {
    if (isExecutable(given)) return given
    throw new Failure(`SCHEMATHESIS is ${given}, which cannot be run`)
  }
  return onPath('schemathesis') ?? [join(folder(), 'bin', 'schemathesis')].find(isExecutable)
}

/** The same; installs it from PyPI into a folder of its own when it is missing. @throws {Failure} without Python */
export async function findSchemathesis(terminal: Terminal, signal?: AbortSignal): Promise<string> {
  const found = lookForSchemathesis()
  if (found !== undefined) return found
  const python = onPath('python3')
  if (python === undefined) throw new Failure(HOW_TO)
  const onLine = (line: string) => terminal.show(`  … pip: ${line}`)
  const run = (command: string, args: readonly string[]) => runProgram(command, args, { signal, onLine })
  const install = async () => {
    if (!existsSync(join(folder(), 'bin', 'pip'))) await run(python, ['-m', 'venv', folder()])
    await run(join(folder(), 'bin', 'pip'), ['install', '--disable-pip-version-check', `schemathesis==${version()}`])
  }
  await terminal.during(
    `schemathesis is missing: installing it into ${folder()}`,
    install,
    () => '✓ schemathesis is installed',
  )
  return join(folder(), 'bin', 'schemathesis')
}

const folder = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hopwhistle', `schemathesis-${version()}`)

const version = (): string =>
  (JSON.parse(readFileSync(join(CHECKOUT, 'versions.json'), 'utf8')) as { schemathesis: string }).schemathesis

const HOW_TO = `schemathesis is not on the PATH, and there is no python3 to install it with. Install one of them:
  anywhere         pip install schemathesis, or set SCHEMATHESIS to where it is
  Debian, Ubuntu   sudo apt-get install python3 python3-venv
  macOS            brew install python`
