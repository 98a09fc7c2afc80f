import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../../../loadtests/bench/lib/failure.ts'
import { CHECKOUT } from '../../../loadtests/bench/stack/stack-record.ts'

const ARCHIVE_MAX_BYTES = 1024 ** 3

/**
 * Writes another commit of this repository into `dir`, able to run: it uses the packages that are installed here, and
 * workspaces of its own. git keeps no record of the folder, so that removing it is enough.
 *
 * @throws {Failure} when git does not know the commit
 */
export function checkoutAt(commit: string, dir: string): void {
  mkdirSync(dir)
  try {
    const archive = execFileSync('git', ['-C', CHECKOUT, 'archive', '--format=tar', commit], {
      maxBuffer: ARCHIVE_MAX_BYTES,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    execFileSync('tar', ['-x', '-C', dir], { input: archive })
  } catch (error) {
    throw new Failure(`cannot check out "${commit}": ${String((error as { stderr?: Buffer }).stderr ?? error).trim()}`)
  }
  const [ours, theirs] = [join(CHECKOUT, 'node_modules'), join(dir, 'node_modules')]
  const workspaces = '@hopwhistle'
  mkdirSync(join(theirs, workspaces), { recursive: true })
  for (const name of readdirSync(ours)) if (name !== workspaces) symlinkSync(join(ours, name), join(theirs, name))
  // These are relative links: in the copy, each leads to its own workspace.
  for (const name of readdirSync(join(ours, workspaces))) {
    symlinkSync(readlinkSync(join(ours, workspaces, name)), join(theirs, workspaces, name))
  }
}
