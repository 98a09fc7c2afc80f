import { setTimeout as sleep } from 'node:timers/promises'
import type { Rig, Rigging } from '../rig/rig.ts'
import type { Server } from '../rig/servers.ts'

/** Something that breaks a platform under load for a while. */
export type Fault = {
  readonly name: string
  readonly title: string
  /** What it breaks: only servers, or also links, clocks and the disk, which a rigged platform has. */
  readonly needs: 'servers' | 'rigging'
  /** Why it cannot be done on this machine; undefined when it can. */
  missing?(): string | undefined
  /** Causes the fault. Resolves when it is over and recovery begins. */
  inflict(rig: Rig): Promise<void>
}

/** Stops all processes of a server (SIGSTOP), and lets them go on after this time. */
export async function freeze(server: Server, ms: number): Promise<void> {
  server.signalAll('SIGSTOP')
  await sleep(ms).finally(() => server.signalAll('SIGCONT'))
}

export function riggingOf({ rigged }: Rig): Rigging {
  if (rigged === undefined) throw new Error('this platform has no links, disk and clocks')
  return rigged
}
