import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const WITHIN_MS = 60_000

/**
 * Has the kernel write to disk what programs have written to files so far, an installation of packages for example. It
 * would do so within the next half minute anyway, and each commit of the measurement would then wait behind it.
 *
 * Gives up after a minute, or where there is no such program: then the disk is as busy as it is.
 */
export async function writeBackFiles(): Promise<void> {
  await promisify(execFile)('sync', { timeout: WITHIN_MS }).catch(() => {})
}
