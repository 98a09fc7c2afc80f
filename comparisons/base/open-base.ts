/** The platform at an earlier commit, to measure what has changed since. */
import { execFile } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { checkoutAt } from '@hopwhistle/platform/checkout/checkout-at.ts'
import type { PlatformCode } from '@hopwhistle/platform/checkout/platform-code.ts'
import { providePackages } from '@hopwhistle/platform/checkout/provide-packages.ts'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { startGuard } from '@hopwhistle/platform/stack/guard.ts'
import { makeTempDir } from '@hopwhistle/platform/stack/run-as.ts'
import type { checkStored } from '../ingest/check-stored.ts'
import type { PartOptions } from '../parts.ts'

/** The default base: goals of cost are ratios to it. */
export const BASE_COMMIT = '7bb82c8'

const CHECK_STORED = 'comparisons/ingest/check-stored.ts'
/** Its path in older commits. */
const CHECK_STORED_BEFORE = 'loadtests/bench/peers/ingest/check-stored.ts'

export type Base = {
  /** As 40 hexadecimal digits. */
  readonly commit: string
  readonly code: PlatformCode
  /** That of its own commit, because it knows the tables of that commit. */
  readonly checkStored: typeof checkStored
  /** Removes its checkout. */
  remove(): Promise<void>
}

/** @returns the commit as 40 hexadecimal digits @throws {Failure} when this clone does not have it */
export async function findBase(ref: string): Promise<string> {
  try {
    return await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`)
  } catch (cause) {
    const shallow = (await git('rev-parse', '--is-shallow-repository').catch(() => '')) === 'true'
    const then = shallow ? 'this clone is shallow, `git fetch --unshallow` completes it' : 'name one with --base'
    throw new Failure(`the base "${ref}" is no commit of this clone's history: ${then}`, { cause })
  }
}

/**
 * Checks the commit out into a temporary folder, with its packages.
 *
 * @throws {Failure} when this clone does not have the commit, or its packages cannot be installed
 */
export async function openBase({
  base: ref,
  terminal,
  signal,
}: Pick<PartOptions, 'base' | 'terminal' | 'signal'>): Promise<Base> {
  const commit = await findBase(ref)
  const folder = makeTempDir('hopwhistle-base-')
  const guard = startGuard()
  guard.remove(folder)
  const dir = join(folder, 'platform')
  const remove = async () => {
    rmSync(folder, { recursive: true, force: true })
    guard.off()
  }
  try {
    return await terminal.during(`the base, ${commit.slice(0, 7)}`, async () => {
      checkoutAt(commit, dir)
      signal.throwIfAborted()
      await providePackages(dir, { signal, onLine: (line) => terminal.show(`  … packages of the base: ${line}`) })
      const load = (path: string) => import(pathToFileURL(join(dir, path)).href)
      const { NODE_FLAGS, MALLOC_ENV } = await load('contract/node-flags.ts')
      const { checkStored } = await load(existsSync(join(dir, 'comparisons')) ? CHECK_STORED : CHECK_STORED_BEFORE)
      return { commit, code: { dir, nodeFlags: NODE_FLAGS, nodeEnv: MALLOC_ENV }, checkStored, remove }
    })
  } catch (error) {
    await remove()
    throw error
  }
}

const git = async (...args: readonly string[]): Promise<string> =>
  (await promisify(execFile)('git', ['-C', CHECKOUT, ...args], { encoding: 'utf8' })).stdout.trim()
