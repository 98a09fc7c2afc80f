import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'vitest'
import { waitUntil } from '../lib/wait-until.ts'
import { cpuCgroupOfProcess } from '../machine/cpu-cgroup.ts'

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
  const cgroup = process.platform === 'linux' ? cpuCgroupOfProcess('self') : undefined
  const parent = cgroup?.folders[0]
  if (cgroup === undefined || parent === undefined) return skip('there is no CPU control group on this machine')
  const folder = join(parent, `hopwhistle-test-${process.pid}-${Math.random().toString(36).slice(2, 8)}`)
  try {
    mkdirSync(folder)
  } catch (error) {
    return skip(`this user cannot make a CPU control group: ${(error as Error).message}`)
  }
  try {
    const file = join(folder, cgroup.version === 1 ? 'cpu.cfs_quota_us' : 'cpu.max')
    if (!existsSync(file)) return skip(`the cpu controller is not given to groups below ${parent}`)
    if (quotaCores !== undefined) writeFileSync(file, String(Math.round(quotaCores * 100_000)))
    await use((args) => ['/bin/sh', '-c', 'echo $$ >"$0/cgroup.procs" && exec "$@"', folder, ...args])
  } finally {
    await waitUntil(
      'the control group to be empty',
      () => {
        rmdirSync(folder)
        return true
      },
      { timeoutMs: 20_000, everyMs: 100 },
    )
  }
}
