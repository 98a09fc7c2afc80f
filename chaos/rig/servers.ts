import { waitUntil } from '../../platform/lib/wait-until.ts'
import { descendantsOf } from '../../platform/machine/process-group.ts'
import { isAlive } from '../../platform/machine/process-identity.ts'
import type { ServerProcess } from '../../platform/stack/server-process.ts'

/**
 * A server of the platform that can be signalled, stopped and started again.
 *
 * running ──stop()──▶ stopped ──start()──▶ running
 */
export type Server = {
  readonly name: string
  isRunning(): boolean
  /** To its main process. */
  signal(name: NodeJS.Signals): void
  /** To all its processes: a Postgres server has many. */
  signalAll(name: NodeJS.Signals): void
  /** Signals it and waits until it is gone. */
  stop(name: NodeJS.Signals): Promise<void>
  /** Starts it again, with the same folder and port, and waits until it answers. */
  start(): Promise<void>
}

const GONE_WITHIN_MS = 40_000

/** @param startAgain starts the same server and records its process with those of the platform */
export function serverOf(first: ServerProcess, startAgain: () => Promise<ServerProcess>): Server {
  let process_ = first
  const kill = (pid: number, name: NodeJS.Signals) => {
    try {
      process.kill(pid, name)
    } catch {
      // It has ended already.
    }
  }
  return {
    name: first.name,
    isRunning: () => isAlive(process_),
    signal: (name) => kill(process_.pid, name),
    signalAll: (name) => {
      for (const pid of descendantsOf(process_.pid)) kill(pid, name)
    },
    stop: async (name) => {
      kill(process_.pid, name)
      await waitUntil(`${first.name} to stop`, () => !isAlive(process_), { timeoutMs: GONE_WITHIN_MS })
    },
    start: async () => {
      process_ = await startAgain()
    },
  }
}
