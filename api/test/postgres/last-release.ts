import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { CHECKOUT } from '../../../platform/lib/checkout.ts'
import type { Migration } from '../../src/postgres/migrate.ts'

export type Release = {
  /** `v0.2.0` */
  readonly tag: string
  readonly migrations: readonly Migration[]
}

const FOLDER = 'api/migrations'

/**
 * The last release before this commit, with the migrations that it has; undefined where this history has no tag of one, as
 * in a shallow clone. A tag of this very commit is that of the release to be, which is what is tested.
 *
 * HOPWHISTLE_LAST_RELEASE names another commit instead.
 */
export function lastRelease(checkout: string = CHECKOUT): Release | undefined {
  const tag = process.env.HOPWHISTLE_LAST_RELEASE || lastTag(checkout)
  if (tag === undefined) return undefined
  const files = git(checkout, 'ls-tree', '--name-only', `${tag}:${FOLDER}`).split('\n').sort()
  const migrations = files
    .filter((file) => file.endsWith('.sql'))
    .map((file) => {
      const sql = git(checkout, 'show', `${tag}:${FOLDER}/${file}`)
      return { name: file.slice(0, -'.sql'.length), sql, checksum: createHash('sha256').update(sql).digest('hex') }
    })
  return { tag, migrations }
}

function lastTag(checkout: string): string | undefined {
  try {
    return git(checkout, 'describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*.[0-9]*.[0-9]*', 'HEAD^').trim()
  } catch {
    return undefined
  }
}

const git = (checkout: string, ...args: readonly string[]): string =>
  execFileSync('git', args, { cwd: checkout, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
