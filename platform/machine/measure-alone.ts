/**
 * Measurements on one machine take turns, across users and checkouts: two at once would disturb each other.
 *
 * free ──measureAlone──▶ held ──its end, or the end of its process──▶ free
 *
 * Each measuring process has its own file in one folder of the machine. It first writes its file and then looks for those
 * of others. Of two that begin together, at least one sees the other and withdraws, so both never run. No process has to
 * remove the file of another, and the file of a process that has ended is ignored.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../command-line/failure.ts'
import type { Terminal } from '../command-line/terminal.ts'
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts'

export type AloneOptions = {
  /** As typed on the command line; shown to those who have to wait. */
  readonly command: string
  /** Wait for the other measurement to end, instead of being refused. */
  readonly wait: boolean
  /** A run that says nothing about speed, such as profile smoke, may run at the same time as any other. */
  readonly provesNothing?: boolean
  readonly terminal: Terminal
  readonly signal?: AbortSignal
}

type Measurement = ProcessIdentity & { readonly command: string; readonly since: string }

/** The same for all users, whose own temporary folders may differ. */
export const FOLDER_VARIABLE = 'HOPWHISTLE_MEASURING_DIR'
const folder = (): string =>
  process.env[FOLDER_VARIABLE] || join(process.platform === 'win32' ? tmpdir() : '/tmp', 'hopwhistle-measuring')

/** For the help of every command that measures. */
export const WAIT_HELP = 'wait while another command measures on this machine; else end with 2 and name it'

/** How often a process that sees another tries again, because both may have begun together and withdrawn. */
const ATTEMPTS = 8
const PAUSE_MS = 40
const LOOK_AGAIN_MS = 1_000

/**
 * Runs `work` while no other measurement runs.
 *
 * @throws {Failure} naming the other command, unless `wait` is set; also what `work` throws
 */
export async function measureAlone<T>(options: AloneOptions, work: () => Promise<T>): Promise<T> {
  const { command, wait, provesNothing, terminal, signal } = options
  if (provesNothing) return work()
  const file = makeFile(command)
  const other = await tryToBegin(file)
  if (other !== undefined) {
    if (!wait) throw new Failure(`${describe(other)} measures on this machine: wait for it to end, or use --wait`)
    await terminal.during(`waiting for ${describe(other)}`, async () => {
      do {
        await sleep(LOOK_AGAIN_MS)
        signal?.throwIfAborted()
      } while ((await tryToBegin(file)) !== undefined)
    })
  }
  try {
    return await work()
  } finally {
    file.withdraw()
  }
}

type OwnFile = { publish(): void; withdraw(): void; others(): readonly Measurement[] }

/** @returns the other measurement; undefined when this one may begin, and has written its file */
async function tryToBegin(file: OwnFile): Promise<Measurement | undefined> {
  for (let attempt = 1; ; attempt++) {
    file.publish()
    const [other] = file.others()
    if (other === undefined) return undefined
    file.withdraw()
    if (attempt === ATTEMPTS) return other
    await sleep(Math.random() * attempt * PAUSE_MS)
  }
}

/** @throws {Failure} when the folder cannot be used */
function makeFile(command: string): OwnFile {
  const dir = folder()
  try {
    mkdirSync(dir, { recursive: true })
  } catch (error) {
    throw new Failure(`${dir} cannot be made: ${(error as Error).message}; ${FOLDER_VARIABLE} may name another folder`)
  }
  try {
    // All users may write a file there, and remove their own.
    chmodSync(dir, 0o1777)
  } catch {
    // Another user created the folder and has set the mode.
  }
  const mine = identify(process.pid) ?? { pid: process.pid, started: '' }
  const name = (extension: string) => join(dir, `${mine.pid}-${mine.started.replace(/\W/g, '')}.${extension}`)
  const content: Measurement = { ...mine, command, since: new Date().toISOString() }
  return {
    publish: () => {
      try {
        // Atomically, so that no reader sees a part of it.
        writeFileSync(name('new'), `${JSON.stringify(content)}\n`, { mode: 0o644 })
        renameSync(name('new'), name('json'))
      } catch (error) {
        throw new Failure(
          `${dir} cannot be written: ${(error as Error).message}; ${FOLDER_VARIABLE} may name another folder`,
        )
      }
    },
    withdraw: () => rmSync(name('json'), { force: true }),
    others: () =>
      readMeasurements(dir)
        .filter((one) => one.pid !== mine.pid || one.started !== mine.started)
        .toSorted((a, b) => a.since.localeCompare(b.since)),
  }
}

/** As `makeFile` names them: a process id and a start time. */
const FILE_NAME = /^\d+-\w*\.json$/

/** Measurements whose processes run. Files of processes that have ended are removed where that is allowed. */
function readMeasurements(dir: string): readonly Measurement[] {
  return readdirSync(dir)
    .filter((name) => FILE_NAME.test(name))
    .flatMap((name) => {
      const one = read(join(dir, name))
      if (one === undefined || isAlive(one)) return one ?? []
      try {
        rmSync(join(dir, name), { force: true })
      } catch {
        // It belongs to another user.
      }
      return []
    })
}

/** @returns undefined when it has just been removed, or has another format */
function read(path: string): Measurement | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Measurement
  } catch {
    return undefined
  }
}

const describe = ({ command, pid, since }: Measurement): string =>
  `"${command}" (process ${pid}, since ${new Date(since).toTimeString().slice(0, 8)})`
