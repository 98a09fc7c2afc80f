/** That the kernel really shares the CPU as it was asked to: each test makes the machine short of CPU. */
import { spawn } from 'node:child_process'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { cpuCgroupOfProcess, readIfThere, taskGroupOf } from '@hopwhistle/platform/machine/cpu-cgroup.ts'
import { canReach, type RunAs, unprivilegedUser } from '@hopwhistle/platform/stack/run-as.ts'
import { withCpuCgroup } from '@hopwhistle/platform/test-support/cpu-cgroup.ts'
import { describe, expect, test } from 'vitest'
import type { ShortOfCpu } from './short-of-cpu.ts'

const PROGRAM = fileURLToPath(new URL('short-of-cpu.ts', import.meta.url))
const TIMEOUT_MS = 280_000
const RAISED = { platform: 5, k6: -15 }
const LOWERED = { platform: 15, k6: 0 }

/**
 * On one core, so that nothing depends on which core the kernel puts a process on: on two it may leave all of the
 * generator on one for seconds, and within a quota of one of them both sides then get half of it whatever their weight.
 */
async function shortOfCpu(command: (args: readonly string[]) => readonly string[], user?: RunAs): Promise<ShortOfCpu> {
  const [file, ...args] = command(['taskset', '--cpu-list', firstCore(), process.execPath, PROGRAM])
  const child = spawn(file!, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: '/', ...user })
  return JSON.parse(await text(child.stdout)) as ShortOfCpu
}

/** The first core that this process may run on. */
const firstCore = () => /^Cpus_allowed_list:\s*(\d+)/m.exec(readIfThere('/proc/self/status') ?? '')![1]!

/** At least three times as much CPU as even shares would give it, for what the servers get; also when as many sessions again have started. */
function expectRightOfWay({ shareBefore, shareAfter, shareWithMoreSessions }: ShortOfCpu): void {
  const odds = (share: number) => share / (1 - share)
  expect(odds(shareAfter)).toBeGreaterThan(3 * odds(shareBefore))
  expect(odds(shareWithMoreSessions)).toBeGreaterThan(3 * (odds(shareBefore) / 2))
}

describe.runIf(process.platform === 'linux')('a generator on a machine that is short of CPU', () => {
  const itself = (args: readonly string[]) => args
  const own = process.platform === 'linux' ? cpuCgroupOfProcess('self') : undefined
  const rootGroup = own === undefined || taskGroupOf(own, readIfThere) === undefined
  const method =
    rootGroup && readIfThere('/proc/sys/kernel/sched_autogroup_enabled')?.trim() === '1' ? 'autogroup' : 'nice'
  const canRaise = process.getuid?.() === 0

  test(
    `goes before the servers, by ${method}`,
    async () => {
      const seen = await shortOfCpu(itself)
      expect(seen.priority).toEqual({ method, ...(canRaise ? RAISED : LOWERED), policy: 'batch' })
      expectRightOfWay(seen)
    },
    TIMEOUT_MS,
  )

  test(
    'goes before the servers without root',
    async ({ skip }) => {
      const nobody = unprivilegedUser()
      if (nobody === undefined) return skip('this user is not root: the test before this one is the same')
      if (!canReach(dirname(PROGRAM), nobody) || !canReach(process.execPath, nobody))
        return skip(`nobody cannot read ${PROGRAM}`)
      const seen = await shortOfCpu(itself, nobody)
      expect(seen.priority).toEqual({ method, ...LOWERED, policy: 'batch' })
      expectRightOfWay(seen)
    },
    TIMEOUT_MS,
  )

  test(
    'goes before the servers in a control group, by nice',
    async (context) => {
      await withCpuCgroup(context, undefined, async (inGroup) => {
        const seen = await shortOfCpu(inGroup)
        expect(seen.priority).toMatchObject({ method: 'nice' })
        expectRightOfWay(seen)
      })
    },
    TIMEOUT_MS,
  )

  test(
    'goes before the servers within a CPU quota',
    async (context) => {
      await withCpuCgroup(context, 0.5, async (inGroup) => {
        const seen = await shortOfCpu(inGroup)
        expect(seen.priority).toMatchObject({ method: 'nice' })
        expectRightOfWay(seen)
      })
    },
    TIMEOUT_MS,
  )
})
