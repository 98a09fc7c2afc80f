import { spawn } from 'node:child_process'
import { expect, onTestFinished, test } from 'vitest'
import { waitUntil } from '../../lib/wait-until.ts'
import { descendantsByPs, descendantsOf } from '../../machine/process-group.ts'

test.runIf(process.platform !== 'win32')('ps finds the same processes below one as the system itself', async () => {
  const { pid = 0 } = spawn('/bin/sh', ['-c', "sh -c 'sleep 60 & wait' & sleep 60 & wait"], { detached: true })
  onTestFinished(() => void process.kill(-pid, 'SIGKILL'))
  await waitUntil('its processes to run', () => descendantsOf(pid).length === 4, { timeoutMs: 10_000 })
  expect([...descendantsByPs(pid)].sort()).toEqual([...descendantsOf(pid)].sort())
})
