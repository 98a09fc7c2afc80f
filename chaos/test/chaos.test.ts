import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { missingForOwnNetwork } from '../platform/own-network.ts'

const noNetwork = missingForOwnNetwork()
const CHAOS = fileURLToPath(new URL('../chaos.ts', import.meta.url))

test('interrupted, it keeps what it has, says what is missing, and does not end well', {
  timeout: 180_000,
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-chaos-test-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const into = join(dir, 'new')
  const only = ['sockets', 'churn', 'bodies'].flatMap((name) => ['--only', name])
  const chaos = spawn(process.execPath, [CHAOS, ...only, '--into', into], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void chaos.kill('SIGKILL'))
  let said = ''
  chaos.stderr.on('data', (text) => {
    said += text
  })
  chaos.stdout.on('data', (text) => {
    // With the first result.
    if (!/^ {2}[✓✗]/m.test(said) && /^ {2}[✓✗]/m.test(String(text))) chaos.kill('SIGINT')
    said += text
  })
  const code = await new Promise((resolve) => chaos.once('close', resolve))
  expect(code, said).toBe(2)
  expect(said).toMatch(/^Not done: (churn, )?bodies\.$/m)
  expect(said).toContain('stopped before the end')
  const { overload } = JSON.parse(readFileSync(join(into, 'measured.json'), 'utf8')) as { overload: { name: string }[] }
  expect(overload.map(({ name }) => name)).toContain('sockets')
  expect(overload.map(({ name }) => name)).not.toContain('bodies')
  expect(readFileSync(join(into, 'reliability.md'), 'utf8')).toContain('2000 live subscribers at once')
  expect(readdirSync(into).sort()).toEqual(['measured.json', 'reliability.md'])
})

test.skipIf(noNetwork !== undefined)(
  'a fault of the network is one of packets that are lost (needs root on Linux, and iptables)',
  {
    timeout: 180_000,
  },
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-chaos-test-'))
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
    const args = ['--only', 'redis-half-open', '--rate', '50', '--into', dir]
    const chaos = spawn(process.execPath, [CHAOS, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    onTestFinished(() => void chaos.kill('SIGKILL'))
    let said = ''
    for (const stream of [chaos.stdout, chaos.stderr]) {
      stream.on('data', (text) => {
        said += text
      })
    }
    expect(await new Promise((resolve) => chaos.once('close', resolve)), said).toBe(0)
    const { faults } = JSON.parse(readFileSync(join(dir, 'measured.json'), 'utf8')) as {
      faults: { ownNetwork: boolean }[]
    }
    expect(faults.map(({ ownNetwork }) => ownNetwork)).toEqual([true])
    expect(readFileSync(join(dir, 'reliability.md'), 'utf8')).toContain("are the kernel's doing")
  },
)
