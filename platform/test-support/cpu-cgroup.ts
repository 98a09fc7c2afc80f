import type { TestContext } from 'vitest'
import { type CpuGroup, makeCpuGroup, NoCpuGroup } from '../machine/cpu-group.ts'

/**
 * Creates a CPU control group below that of this process, and removes it. Skips the test, and says why, where this user
 * cannot create one.
 *
 * @param quotaCores undefined: without a quota
 * @param use given what puts a command into the group
 */
export async function withCpuCgroup(
  { skip }: TestContext,
  quotaCores: number | undefined,
  use: (command: (args: readonly string[]) => readonly string[]) => Promise<void>,
): Promise<void> {
  let group: CpuGroup
  try {
    group = makeCpuGroup(`test-${Math.random().toString(36).slice(2, 8)}`, quotaCores)
  } catch (error) {
    if (error instanceof NoCpuGroup) return skip(error.message)
    throw error
  }
  try {
    await use((args) => ['/bin/sh', '-c', 'echo $$ >"$0/cgroup.procs" && exec "$@"', group.folder, ...args])
  } finally {
    await group.remove()
  }
}
