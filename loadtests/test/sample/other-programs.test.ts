import { type ChildProcess, spawn } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { readGroup } from '@hopwhistle/platform/machine/process-group.ts'
import { afterEach, describe, expect, test } from 'vitest'
import { programName } from '../../bench/sample/other-programs.ts'
import { beginSampling } from '../../bench/sample/sampler.ts'
import { peakOf } from '../../bench/sample/server-evidence.ts'
import { bench } from '../support/bench.ts'

const NAME = 'busybee-of-the-neighbours'
const running: ChildProcess[] = []
const folders: { remove(): void }[] = []
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
  for (const folder of folders.splice(0)) folder.remove()
})

/** A program of that name that uses a core, and has a secret among its arguments. */
function busybee(): number {
  const here = bench()
  const path = join(here.tempDir, NAME)
  symlinkSync('/bin/sh', path)
  const child = spawn(path, ['-c', ': secret-argument; while :; do :; done'], { stdio: 'ignore' })
  running.push(child)
  folders.push(here)
  return child.pid!
}

const sampler = { name: 'sampler', kind: 'sampler', pid: process.pid, withDescendants: false } as const
const cpuSecondsUsedBy = (pid: number) => readGroup(pid)?.cpuSeconds.get(pid) ?? 0

/** Resolves when it has used half a second of CPU from now on. */
async function toBeBusy(pid: number): Promise<void> {
  const before = cpuSecondsUsedBy(pid)
  await waitUntil('the program to use some CPU', () => cpuSecondsUsedBy(pid) >= before + 0.5, { timeoutMs: 15_000 })
}

describe.skipIf(process.platform !== 'linux')('programs that are no part of the measurement', () => {
  test('are named in full with the CPU that they used, and never with their arguments', async () => {
    const pid = busybee()
    const { end } = await beginSampling({ api: [], processes: [sampler] }, 100)
    await toBeBusy(pid)
    const evidence = await end()
    const bee = evidence.otherPrograms?.find(({ name }) => name === NAME)
    expect(peakOf(bee?.cpuCores)).toBeGreaterThan(0.05)
    expect(JSON.stringify(evidence)).not.toContain('secret-argument')
  })

  test('are not those that are measured, nor what these started', async () => {
    const pid = busybee()
    const processes = [{ name: 'api-1', kind: 'api', pid: process.pid, withDescendants: true } as const]
    const { end } = await beginSampling({ api: [], processes }, 100)
    await toBeBusy(pid)
    expect((await end()).otherPrograms?.map(({ name }) => name)).not.toContain(NAME)
  })
})

test.each([
  ['ffmpeg', 'ffmpeg', 'ffmpeg'],
  ['MainThread', '/usr/bin/node', 'node'],
  ['MainThread', '', 'node'],
  ['postgres', 'postgres: walwriter ', 'postgres'],
  ['prometheus-node', '/opt/prometheus-node-exporter', 'prometheus-node-exporter'],
  ['prometheus-node', 'prometheus-node-exporter --web.auth=secret', 'prometheus-node-exporter'],
  ['kworker/0:1', '', 'kworker/0_1'],
  ['a\u001b[31m|b', '', 'a_31m_b'],
])('%j, called as %j, is %s', (comm, firstWord, name) => {
  expect(programName(comm, () => firstWord)).toBe(name)
})
