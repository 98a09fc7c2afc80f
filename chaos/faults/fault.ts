import { setTimeout as sleep } from 'node:timers/promises'
import type { Rig, Rigging } from '../rig/rig.ts'
import type { Server } from '../rig/servers.ts'

/** Something bad that happens to a platform under load, and passes. */
export type Fault = {
  readonly name: string
  readonly title: string
  /** What it takes: servers alone, or also links, clocks and a disk of which the platform knows nothing. */
  readonly needs: 'servers' | 'rigging'
  /** Why it cannot be done on this machine; undefined when it can. */
  missing?(): string | undefined
  /** Does it, and resolves when it is over: what comes then is recovery. */
  inflict(rig: Rig): Promise<void>
}

/** Stops all of a server's processes without a word (SIGSTOP), and lets them go on. */
export async function freeze(server: Server, ms: number): Promise<void> {
  server.signalAll('SIGSTOP')
  await sleep(ms).finally(() => server.signalAll('SIGCONT'))
}

export function riggingOf({ rigged }: Rig): Rigging {
  if (rigged === undefined) throw new Error('this platform has no links, disk and clocks')
  return rigged
}
