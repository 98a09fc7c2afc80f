import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { Failure } from '../command-line/failure.ts'
import { CHECKOUT } from '../lib/checkout.ts'

const ARCHIVE_MAX_BYTES = 1024 ** 3

/**
 * Writes another commit of this repository into `dir`, a new folder. git does not record it, so removing the folder is
 * enough. To run the platform from it, call `providePackages` next.
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
}
