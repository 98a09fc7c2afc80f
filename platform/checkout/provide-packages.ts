/** Provides packages for another checkout of this repository. */
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, sep } from 'node:path'
import { Failure } from '../command-line/failure.ts'
import { CHECKOUT } from '../lib/checkout.ts'
import { runProgram } from '../machine/run-program.ts'

type Progress = { readonly signal: AbortSignal; readonly onLine: (line: string) => void }

/**
 * Links the packages that are installed here when both checkouts lock the same ones; otherwise installs those that its
 * API locks. Its workspaces are its own in both cases.
 *
 * @throws {Failure} when they cannot be installed, or the API would load a workspace of another checkout
 */
export async function providePackages(dir: string, { signal, onLine }: Progress): Promise<void> {
  if (lockedPackages(dir) === lockedPackages(CHECKOUT))
    linkPackages(join(CHECKOUT, 'node_modules'), join(dir, 'node_modules'))
  else {
    const args = ['--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--workspace=api']
    await runProgram('npm', ['ci', '--prefix', dir, ...args, '--include-workspace-root=false'], {
      env: process.env,
      signal,
      onLine,
    })
  }
  requireOwnContract(dir)
}

/** What is installed from it: without the workspaces, which each checkout has of its own. */
function lockedPackages(dir: string): string {
  const { packages } = JSON.parse(readFileSync(join(dir, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, object>>
  }
  return JSON.stringify(Object.entries(packages).filter(([path]) => path.includes('node_modules')))
}

/** npm links workspaces by relative paths, so copied links lead to the workspaces of their own checkout. */
function linkPackages(ours: string, theirs: string): void {
  mkdirSync(theirs)
  for (const name of readdirSync(ours)) {
    if (name.startsWith('.')) continue
    const [from, to] = [join(ours, name), join(theirs, name)]
    if (name.startsWith('@')) linkPackages(from, to)
    else symlinkSync(lstatSync(from).isSymbolicLink() ? readlinkSync(from) : from, to)
  }
}

function requireOwnContract(dir: string): void {
  const require = createRequire(join(dir, 'api', 'package.json'))
  const found = realpathSync(require.resolve('@hopwhistle/contract/routes.ts'))
  if (found.startsWith(`${realpathSync(dir)}${sep}`)) return
  throw new Failure(`the API in ${dir} would load the contract from ${found}; it must be its own`)
}
