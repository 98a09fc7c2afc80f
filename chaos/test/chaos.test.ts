import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { FOLDER_VARIABLE } from '../../platform/machine/measure-alone.ts'
import { placeIn, recordMeasured } from '../measured.ts'
import { missingForOwnNetwork } from '../rig/own-network.ts'

const noNetwork = missingForOwnNetwork()
const CHAOS = fileURLToPath(new URL('../chaos.ts', import.meta.url))

/** Starts chaos with an output folder that does not exist yet. */
function startChaos(...args: readonly string[]) {
  const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-chaos-test-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const into = join(dir, 'new')
  // Not the machine's folder: this test measures no speed, so it need not wait for others.
  const env = { ...process.env, [FOLDER_VARIABLE]: join(dir, 'measuring') }
  const chaos = spawn(process.execPath, [CHAOS, ...args, '--into', into], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void chaos.kill('SIGKILL'))
  let said = ''
  for (const stream of [chaos.stdout, chaos.stderr]) {
    stream.on('data', (text) => {
      said += text
    })
  }
  const ended = new Promise((resolve) => chaos.once('close', resolve))
  const read = (file: string) => readFileSync(join(into, file), 'utf8')
  return { chaos, into, ended, read, said: () => said }
}

test('interrupted, it keeps its results, says what is missing, and exits with 2', {
  timeout: 180_000,
}, async () => {
  const { chaos, into, ended, read, said } = startChaos(
    ...['sockets', 'churn', 'bodies'].flatMap((name) => ['--only', name]),
  )
  let interrupted = false
  chaos.stdout.on('data', () => {
    // Interrupts it after the first result.
    if (interrupted || !/^ {2}[✓✗]/m.test(said())) return
    interrupted = true
    chaos.kill('SIGINT')
  })
  expect(await ended, said()).toBe(2)
  expect(said()).toMatch(/^Not done: (churn, )?bodies\.$/m)
  expect(said()).toContain('stopped before the end')
  const { overload } = JSON.parse(read('measured.json')) as { overload: { name: string }[] }
  expect(overload.map(({ name }) => name)).toContain('sockets')
  expect(overload.map(({ name }) => name)).not.toContain('bodies')
  expect(read('reliability.md')).toContain('2000 live subscribers at once')
  expect(readdirSync(into).sort()).toEqual(['measured.json', 'reliability.md'])
})

test.skipIf(noNetwork !== undefined)(
  'a network fault drops packets in the kernel (needs root on Linux, and iptables)',
  { timeout: 180_000 },
  async () => {
    const { ended, read, said } = startChaos('--only', 'redis-half-open', '--rate', '50')
    expect(await ended, said()).toBe(0)
    const { faults } = JSON.parse(read('measured.json')) as { faults: { ownNetwork: boolean }[] }
    expect(faults.map(({ ownNetwork }) => ownNetwork)).toEqual([true])
    expect(read('reliability.md')).toContain('The kernel drops packets')
  },
)

test('a result replaces that of the same name, also of another machine, and no other', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-chaos-test-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const place = placeIn(dir)
  const one = (name: string, machine: string, title: string) => {
    const result = { title, figures: '', problems: [] }
    return { name, measuredAt: '2026-11-20T10:00:00Z', machine, result }
  }
  const [bodies, flood] = [one('bodies', 'that one', 'first'), one('flood', 'that one', 'first')]
  recordMeasured({ faults: [], overload: [bodies, flood] }, place)
  const again = one('flood', 'this one', 'second')
  recordMeasured({ faults: [], overload: [again] }, place)
  expect(JSON.parse(readFileSync(place.measured, 'utf8'))).toEqual({ faults: [], overload: [bodies, again] })
})
