/** The platform as it was at another commit, for measuring what has changed since. */
import { execFile } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { checkoutAt } from '@hopwhistle/platform/checkout/checkout-at.ts'
import type { PlatformCode } from '@hopwhistle/platform/checkout/platform-code.ts'
import { providePackages } from '@hopwhistle/platform/checkout/provide-packages.ts'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import type { Terminal } from '@hopwhistle/platform/command-line/terminal.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { startGuard } from '@hopwhistle/platform/stack/guard.ts'
import { makeTempDir } from '@hopwhistle/platform/stack/run-as.ts'
import type { checkStored } from './check-stored.ts'

export type CheckStored = typeof checkStored

export type OpenCommit = {
  /** As 40 hexadecimal digits. */
  readonly commit: string
  readonly code: PlatformCode
  /** Its own: it knows the tables of that commit. Undefined where that commit has none yet. */
  readonly checkStored: CheckStored | undefined
  /** Removes its checkout. */
  remove(): Promise<void>
}

const NODE_FLAGS_FILE = 'contract/node-flags.ts'
/** The newest place first. */
const CHECK_STORED_FILES = [
  'comparisons/base/check-stored.ts',
  'comparisons/ingest/check-stored.ts',
  'loadtests/bench/peers/ingest/check-stored.ts',
]

/** What a commit is called in a message, and the option that gives it. */
type Role = 'base' | 'head' | 'version'

/**
 * @returns the commit that `ref` names, as 40 hexadecimal digits
 * @throws {Failure} when this clone does not have it
 */
export async function findCommit(ref: string, name: Role): Promise<string> {
  try {
    return await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`)
  } catch (cause) {
    const shallow = (await git('rev-parse', '--is-shallow-repository').catch(() => '')) === 'true'
    const then = shallow ? 'this clone is shallow, `git fetch --unshallow` completes it' : `name one with --${name}`
    throw new Failure(`the ${name} "${ref}" is no commit of this clone's history: ${then}`, { cause })
  }
}

/**
 * Checks the commit out into a temporary folder, with its packages.
 *
 * @throws {Failure} when this clone does not have the commit, or its packages cannot be installed
 */
export async function openCommit(
  ref: string,
  name: Role,
  { terminal, signal }: { readonly terminal: Terminal; readonly signal: AbortSignal },
): Promise<OpenCommit> {
  const commit = await findCommit(ref, name)
  const folder = makeTempDir('hopwhistle-base-')
  const guard = startGuard()
  guard.remove(folder)
  const dir = join(folder, 'platform')
  const remove = async () => {
    rmSync(folder, { recursive: true, force: true })
    guard.off()
  }
  try {
    return await terminal.during(`the ${name}, ${commit.slice(0, 7)}`, async () => {
      checkoutAt(commit, dir)
      signal.throwIfAborted()
      await providePackages(dir, { signal, onLine: (line) => terminal.show(`  … packages of the ${name}: ${line}`) })
      const has = (path: string) => existsSync(join(dir, path))
      const load = (path: string) => import(pathToFileURL(join(dir, path)).href)
      const { NODE_FLAGS, MALLOC_ENV } = has(NODE_FLAGS_FILE)
        ? await load(NODE_FLAGS_FILE)
        : { NODE_FLAGS: [], MALLOC_ENV: {} }
      const file = CHECK_STORED_FILES.find(has)
      const checkStored = file === undefined ? undefined : ((await load(file)).checkStored as CheckStored)
      return { commit, code: { dir, nodeFlags: NODE_FLAGS, nodeEnv: MALLOC_ENV }, checkStored, remove }
    })
  } catch (error) {
    await remove()
    throw error
  }
}

const git = async (...args: readonly string[]): Promise<string> =>
  (await promisify(execFile)('git', ['-C', CHECKOUT, ...args], { encoding: 'utf8' })).stdout.trim()
