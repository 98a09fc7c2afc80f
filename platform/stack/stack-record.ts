/** The stored record of the local stack: enough to reach, check and stop it from another process. */
import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../command-line/failure.ts'
import { CHECKOUT } from '../lib/checkout.ts'
import type { ProcessIdentity } from '../machine/process-identity.ts'
import { reachableTempDir, unprivilegedUser } from './run-as.ts'
import type { ServerProcess } from './server-process.ts'

export type ApiInstance = { readonly id: string; readonly process: ServerProcess; readonly adminUrl: string }

export type StackRecord = {
  /**
   * starting  the process `by` is still starting it
   * up        everything ran when it was written
   */
  readonly state: 'starting' | 'up'
  readonly startedAt: string
  readonly by: ProcessIdentity | undefined
  /** All started processes, in order. */
  readonly processes: readonly ServerProcess[]
  readonly details?: StackDetails
}

export type StackDetails = {
  readonly apiUrl: string
  readonly api: readonly ApiInstance[]
  /** Settings of the API that differ from the defaults, by environment variable. No secrets. */
  readonly apiSettings: Readonly<Record<string, string>>
  readonly postgresVersion: string
  readonly redisVersion: string
  readonly urls: {
    /** As hopwhistle_api. */
    readonly primary: string
    readonly replica: string
    /** As the superuser. */
    readonly owner: string
    readonly ownerReplica: string
    readonly redis: string
  }
  readonly monitoring?: MonitoringDetails
}

/** Addresses of Prometheus and Grafana. */
export type MonitoringDetails = { readonly prometheus: string; readonly grafana?: string }

/**
 * The folder of this checkout's stack, for this user. It is in the temporary folder: data and state are deleted together,
 * and Postgres must be able to reach it when root starts it.
 */
export function stackFolder(): string {
  const key = createHash('sha256').update(CHECKOUT).digest('hex').slice(0, 8)
  return join(reachableTempDir(unprivilegedUser()), `hopwhistle-${process.getuid?.() ?? 'user'}-${key}`)
}

/** Creates the folder. @throws {Failure} when another user created it, who could change what is run */
export function makeStackFolder(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const { uid } = lstatSync(dir)
  if (process.getuid !== undefined && uid !== process.getuid()) {
    throw new Failure(`${dir} belongs to another user; remove it`)
  }
  chmodSync(dir, unprivilegedUser() === undefined ? 0o700 : 0o711)
}

/** @returns undefined when there is no record */
export function readRecord(dir: string): StackRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, 'stack.json'), 'utf8')) as StackRecord
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Failure(`${join(dir, 'stack.json')} cannot be read: ${(error as Error).message}`)
  }
}

/** Readable only by this user, because it contains passwords. */
export function writeRecord(dir: string, record: StackRecord): void {
  const path = join(dir, 'stack.json')
  writeFileSync(`${path}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

export function removeStackFolder(dir: string): void {
  rmSync(dir, { recursive: true, force: true })
}
