import { spawn } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { waitUntil } from '../../lib/wait-until.ts'
import { descendantsByPs, descendantsOf } from '../../machine/process-group.ts'
import { readProcessStat } from '../../machine/process-stat.ts'

test.runIf(process.platform !== 'win32')('ps finds the same processes below one as the system itself', async () => {
  const { pid = 0 } = spawn('/bin/sh', ['-c', "sh -c 'sleep 60 & wait' & sleep 60 & wait"], { detached: true })
  onTestFinished(() => void process.kill(-pid, 'SIGKILL'))
  await waitUntil('its processes to run', () => descendantsOf(pid).length === 4, { timeoutMs: 10_000 })
  expect([...descendantsByPs(pid)].sort()).toEqual([...descendantsOf(pid)].sort())
})

test.runIf(process.platform === 'linux')(
  'a process is read also when its name has spaces and parentheses',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-stat-'))
    onTestFinished(() => rmSync(dir, { recursive: true }))
    const program = join(dir, 'a (b) c')
    copyFileSync('/bin/sleep', program)
    const { pid = 0 } = spawn(program, ['60'], { stdio: 'ignore' })
    onTestFinished(() => void process.kill(pid, 'SIGKILL'))
    await waitUntil('it to run', () => readProcessStat(pid).command === 'a (b) c', { timeoutMs: 10_000 })
    expect(readProcessStat(pid)).toMatchObject({
      parent: process.pid,
      threads: 1,
      policy: 0,
      state: expect.any(String),
    })
    expect(Number(readProcessStat(pid).started)).toBeGreaterThan(0)
  },
)
