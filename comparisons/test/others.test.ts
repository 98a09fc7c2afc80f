/** What is measured while other programs take CPU is noticed, and not kept. */
import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { expect, onTestFinished, test } from 'vitest'
import { startCpuMeter } from '../measure/cpu-meter.ts'
import { othersUse } from '../measure-parts.ts'

const cores = availableParallelism()

test.runIf(process.platform === 'linux')('programs that are not ours and take CPU disturb a measurement', async () => {
  for (let i = 0; i < Math.ceil(cores / 4); i++) {
    // Its parent ends at once, so that it is no descendant of this process.
    const pid = execFileSync('sh', ['-c', "timeout 60 sh -c 'while :; do :; done' >/dev/null 2>&1 & echo $!"])
    onTestFinished(() => void process.kill(Number(pid)))
  }
  const used = startCpuMeter({ here: [process.pid] })
  await waitUntil('them to be noticed', () => othersUse(used(), cores).tooMuch, { timeoutMs: 15_000, everyMs: 500 })
})

test.each([
  ['all of it is ours', 10, false],
  ['others took less than a tenth', 8.5, false],
  ['others took more than a tenth', 7.5, true],
])('of two cores, one was busy for 10 s: %s', (_, here, tooMuch) => {
  const use = othersUse({ seconds: 10, idleShare: 0.5, cpuSeconds: { here } }, 2)
  expect(use.tooMuch).toBe(tooMuch)
  expect(use.note).toBe(`Other processes and the kernel used ${(1 - here / 10).toFixed(2)} of 2 cores.`)
})
