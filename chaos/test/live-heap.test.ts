import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { freePort } from '../../platform/machine/free-port.ts'
import { MIB } from '../../platform/settings/arithmetic.ts'
import { openLiveHeap } from '../soak/live-heap.ts'

/** Holds 20 MiB in a buffer and some 8 MiB in an array, and produces garbage. Releases both on its first input. */
const PROGRAM = `
  let held = [Buffer.alloc(20 * ${MIB}, 1), Array.from({ length: ${MIB} }, (_, i) => i)]
  setInterval(() => { globalThis.garbage = [Buffer.alloc(${MIB}, 1), Array.from({ length: 50_000 }, String)] }, 5)
  process.stdin.once('data', () => { held = undefined; process.stdout.write('gone') })
  process.stdout.write('held')`

test('live memory is distinguished from garbage', async () => {
  const port = await freePort()
  const program = spawn(process.execPath, [`--inspect-port=127.0.0.1:${port}`, '--eval', PROGRAM], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const said = () => new Promise((resolve) => program.stdout.once('data', resolve))
  try {
    await said()
    const heap = await openLiveHeap(program.pid ?? 0, port)
    const before = await heap.collect()
    const again = await heap.collect()
    program.stdin.write('let go')
    await said()
    const after = await heap.collect()
    expect(Math.abs(again - before)).toBeLessThan(6 * MIB)
    expect(before - after).toBeGreaterThan(22 * MIB)
    program.kill('SIGKILL')
    await expect(heap.collect()).rejects.toThrow('the inspector of the API instance has gone')
  } finally {
    program.kill('SIGKILL')
  }
})
