import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { type ScenarioName, targetsOf } from '@hopwhistle/contract/scenarios.ts'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { freePort } from '@hopwhistle/platform/machine/free-port.ts'
import type { Guard } from '@hopwhistle/platform/stack/guard.ts'
import { lastLines } from '@hopwhistle/platform/stack/server-process.ts'
import { inBatchClass } from '../priority/batch-scheduling.ts'

export type K6Run = {
  readonly pid: number
  /** `host:port` of its REST API. */
  readonly address: string
  /**
   * @param overdue stops it
   * @throws {Failure} when it could not make this load, whatever its rate
   */
  ended(overdue?: AbortSignal): Promise<K6End>
}

export type K6End = {
  /** 128 and the signal's number when a signal ended it. */
  readonly exitCode: number
  readonly signal?: NodeJS.Signals
}

export type K6Options = {
  readonly command: string
  /** In messages. */
  readonly name: string
  /** The file that k6 runs. */
  readonly script: string
  /** Options of `k6 run` in addition to those that every run has. */
  readonly args: readonly string[]
  /** Reaches the script through the environment, so that no key stands in a list of processes. */
  readonly env: Readonly<Record<string, string>>
  readonly logFile: string
  /** k6 shares the machine with what it measures: it does not interrupt that. */
  readonly inBatchClass?: boolean
  readonly guard: Guard
  readonly signal?: AbortSignal | undefined
}

/**
 * A bad configuration, no REST API, an exception outside the load, a test that the script aborts; 126 and 127 are of
 * chrt, for a k6 that cannot be executed.
 */
const REFUSED: readonly number[] = [104, 106, 107, 108, 126, 127]
/** How long k6 may take to end in an orderly way once it was asked to. */
const GRACE_MS = 8_000

/**
 * Fewer garbage collections leave more of the machine to the platform. They cost some 100 MB at 400 %. Of live
 * frames hardly anything is kept: there 1600 % saves a tenth of k6's CPU for 200 MB more (decision 5), and the limit
 * keeps a k6 that no longer follows from taking all memory.
 */
export const garbageCollection = (scenario: ScenarioName): Record<string, string> =>
  targetsOf(scenario).messages !== undefined ? { GOGC: '1600', GOMEMLIMIT: '1GiB' } : { GOGC: '400' }

export const scenarioFile = (scenario: ScenarioName): string =>
  join(CHECKOUT, 'loadtests', 'scenarios', `${scenario}.ts`)

export async function startK6(options: K6Options): Promise<K6Run> {
  const { command, name, script, args, env, logFile, guard, signal } = options
  signal?.throwIfAborted()
  const address = `127.0.0.1:${await freePort()}`
  const log = openSync(logFile, 'w', 0o600)
  const k6 = [command, 'run', '--quiet', '--no-usage-report', '--address', address, ...args, script] as const
  const [program, ...programArgs] = options.inBatchClass ? inBatchClass(k6) : k6
  const child = spawn(program, programArgs, {
    // The user's own K6_ settings would change what is measured.
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', ...env },
    // In a group of its own, so that Ctrl-C reaches it through this process, in order.
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const exit = new Promise<K6End>((resolve, reject) => {
    child.once('error', (error) => reject(new Failure(`k6 cannot be run: ${error.message}`)))
    child.once('close', (code, signal) =>
      resolve(signal === null ? { exitCode: code ?? 0 } : { exitCode: 128 + constants.signals[signal], signal }),
    )
  })
  exit.catch(() => {})
  if (child.pid === undefined) {
    await exit
    throw new Failure('k6 cannot be run')
  }
  const { pid } = child
  guard.watch(pid, 'SIGINT')
  const abort = () => {
    child.kill('SIGINT')
    setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref()
  }
  signal?.addEventListener('abort', abort, { once: true })
  return {
    pid,
    address,
    async ended(overdue) {
      overdue?.addEventListener('abort', abort, { once: true })
      const end = await exit.finally(() => {
        guard.forget(pid)
        signal?.removeEventListener('abort', abort)
        overdue?.removeEventListener('abort', abort)
      })
      signal?.throwIfAborted()
      if (!REFUSED.includes(end.exitCode)) return end
      throw new Failure(`k6 ended ${name} with ${end.exitCode}:\n${lastLines(logFile)}`)
    },
  }
}
