/**
 * The user that runs Postgres. Postgres refuses to run as root, so for root it runs as `nobody`, in folders that
 * `nobody` can reach.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export type RunAs = { readonly uid: number; readonly gid: number }

/** @returns undefined when this process is not root, and may run Postgres as itself */
export function unprivilegedUser(): RunAs | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
  try {
    return { uid: id('-u'), gid: id('-g') }
  } catch (cause) {
    throw new Error('Postgres does not run as root, and there is no user "nobody" to run it as; use another user', {
      cause,
    })
  }
}

/** Whether this user can pass every folder of the path. Always true for undefined, which means this process's user. */
export function canReach(path: string, user: RunAs | undefined): boolean {
  if (user === undefined) return true
  for (let at = path; ; at = dirname(at)) {
    const { mode, uid, gid } = statSync(at)
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & bit) === 0) return false
    if (dirname(at) === at) return true
  }
}

/** A temporary folder that the user can reach. @throws when there is none */
export function reachableTempDir(user: RunAs | undefined): string {
  const candidates = [tmpdir(), '/tmp', '/var/tmp']
  const found = candidates.find((dir) => {
    try {
      mkdirSync(dir, { recursive: true })
      return canReach(dir, user)
    } catch {
      return false
    }
  })
  if (found !== undefined) return found
  throw new Error(`none of ${candidates.join(', ')} can be reached by the user "nobody", as which Postgres runs`)
}

/** Creates a folder of this process that the user can pass through. */
export function makeTempDir(prefix: string, user: RunAs | undefined = unprivilegedUser()): string {
  const dir = mkdtempSync(join(reachableTempDir(user), prefix))
  if (user !== undefined) chmodSync(dir, 0o711)
  return dir
}
