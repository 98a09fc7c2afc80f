/**
 * Measurements on one machine take turns, whoever starts them and from whichever checkout: two at once would measure
 * each other.
 *
 * free ──measureAlone──▶ held ──its end, or the end of its process──▶ free
 *
 * Each process that measures has a file of its own in one folder of the machine, named after it. It writes the file
 * first and looks for those of others afterwards; of two that begin together at least one sees the other and withdraws.
 * So never do both go on, no file of another process has to be removed for that, and the file of a process that is gone
 * counts for nothing.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../command-line/failure.ts'
import type { Terminal } from '../command-line/terminal.ts'
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts'

export type AloneOptions = {
  /** As a person would type it; shown to whoever has to wait. */
  readonly command: string
  /** Wait for the other measurement to end, instead of being refused. */
  readonly wait: boolean
  /** A run that proves nothing about speed, such as one of profile smoke, may go on beside any other. */
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

/** How often one that sees another tries again, for the other may have begun at the same moment and withdraw as well. */
const ATTEMPTS = 8
const PAUSE_MS = 40
const LOOK_AGAIN_MS = 1_000

/**
 * Measures while nobody else does.
 *
 * @throws {Failure} naming the command that measures, unless it is to be waited for; whatever `work` throws
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

/** @returns another that measures; undefined when this one may begin, and has its file there */
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
    // Everybody may write a file there, and remove their own.
    chmodSync(dir, 0o1777)
  } catch {
    // Another user made it, and has done so.
  }
  const mine = identify(process.pid) ?? { pid: process.pid, started: '' }
  const name = (extension: string) => join(dir, `${mine.pid}-${mine.started.replace(/\W/g, '')}.${extension}`)
  const content: Measurement = { ...mine, command, since: new Date().toISOString() }
  return {
    publish: () => {
      try {
        // In one step: nobody reads half of it.
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

/** Those whose processes are alive. What the others left is removed where that is allowed. */
function readMeasurements(dir: string): readonly Measurement[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const one = read(join(dir, name))
      if (one === undefined || isAlive(one)) return one ?? []
      try {
        rmSync(join(dir, name), { force: true })
      } catch {
        // It is another user's.
      }
      return []
    })
}

/** @returns undefined when it was withdrawn in this moment, or is of somebody else's making */
function read(path: string): Measurement | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Measurement
  } catch {
    return undefined
  }
}

const describe = ({ command, pid, since }: Measurement): string =>
  `"${command}" (process ${pid}, since ${new Date(since).toTimeString().slice(0, 8)})`
