/**
 * A server of the stack, in its own process group, so that Ctrl-C for its parent does not stop it. Its record is enough
 * to stop it: for the process that started it, or for another one later.
 *
 * No process manager: those need Docker, systemd or a daemon of their own, and `make up` needs none of them.
 */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { GiveUp, WaitedTooLong, waitUntil } from '../lib/wait-until.ts'
import type { ProcessIdentity } from '../machine/process-identity.ts'
import { identify, isAlive } from '../machine/process-identity.ts'
import type { Guard } from './guard.ts'
import type { RunAs } from './run-as.ts'

export type ServerProcess = ProcessIdentity & {
  readonly name: string
  /** The signal for an orderly stop. */
  readonly stopSignal: NodeJS.Signals
  /** Its output. */
  readonly logFile: string
}

export type StartOptions = {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly logFile: string
  readonly stopSignal: NodeJS.Signals
  readonly runAs?: RunAs | undefined
  /** Stops the process if this one dies; absent for a process that should outlive this one. */
  readonly guard?: Guard | undefined
}

/** A server ended before it was ready; the message has the end of its output. */
export class ServerEnded extends Error {
  override readonly name = 'ServerEnded'
}

/**
 * Registers this process with the guard, then execs the server: its parent may be killed before it could register it.
 * The subshell is for a guard that has ended: writing to it ends only the subshell.
 */
const TELL_AND_RUN = '(echo "watch $$:$0" >&3); exec 3>&-; exec "$@"'

/** @throws when the command cannot be run; with a guard, the server then ends at once */
export async function startServer(options: StartOptions): Promise<ServerProcess> {
  const { name, command, args, cwd, env, logFile, stopSignal, runAs, guard } = options
  const log = openSync(logFile, 'a', 0o600)
  const as = { cwd, env, detached: true, ...(runAs === undefined ? {} : { uid: runAs.uid, gid: runAs.gid }) }
  let child: ChildProcess
  try {
    child =
      guard === undefined
        ? spawn(command, args, { ...as, stdio: ['ignore', log, log] })
        : spawn('/bin/sh', ['-c', TELL_AND_RUN, stopSignal.replace(/^SIG/, ''), command, ...args], {
            ...as,
            stdio: ['ignore', log, log, guard.stdin],
          })
  } finally {
    closeSync(log)
  }
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (cause) => reject(new Error(`cannot run ${command} for ${name}: ${cause.message}`, { cause })))
  })
  child.unref()
  const pid = child.pid as number
  child.once('exit', () => guard?.forget(pid))
  // A process that has already ended has no start time; nothing will match it.
  const { started } = identify(pid) ?? { started: 'ended' }
  return { pid, started, name, stopSignal, logFile }
}

/**
 * @throws {ServerEnded} as soon as the process has ended
 * @throws {WaitedTooLong}
 */
export async function waitForServer<T>(
  server: ServerProcess,
  ask: () => Promise<T | undefined | false>,
  timeoutMs: number,
): Promise<T> {
  try {
    return await waitUntil(
      `${server.name} to be ready`,
      () => {
        if (isAlive(server)) return ask()
        throw new GiveUp(new ServerEnded(`${server.name} ended while it started:\n${lastLines(server.logFile)}`))
      },
      { timeoutMs },
    )
  } catch (error) {
    if (!(error instanceof WaitedTooLong)) throw error
    throw new WaitedTooLong(`${error.message}\n${lastLines(server.logFile)}`, { cause: error })
  }
}

/**
 * Stops a server and waits until it has ended: first its signal, after `graceMs` SIGKILL to its whole group.
 *
 * @returns whether it ended by itself
 */
export async function stopServer(server: ServerProcess, graceMs: number): Promise<'stopped' | 'killed' | 'gone'> {
  if (!isAlive(server)) return 'gone'
  signal(server.pid, server.stopSignal)
  const gone = () => !isAlive(server)
  try {
    await waitUntil(`${server.name} to stop`, gone, { timeoutMs: graceMs })
    return 'stopped'
  } catch {
    signal(-server.pid, 'SIGKILL')
    await waitUntil(`${server.name} to be killed`, gone, { timeoutMs: 10_000 })
    return 'killed'
  }
}

export function lastLines(logFile: string, count = 12): string {
  try {
    const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n')
    return lines
      .slice(-count)
      .map((line) => `  ${line}`)
      .join('\n')
  } catch {
    return '  (it printed nothing)'
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended, as intended.
  }
}
