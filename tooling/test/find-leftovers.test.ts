import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run } from './run.ts'

const SCRIPT = 'tooling/find-leftovers.ts'

test.runIf(process.platform === 'linux')(
  'what a run left behind is named and killed, and nothing else is',
  { timeout: 30_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hopwhistle-ci-'))
    mkdirSync(join(folder, 'data'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const sleeping = (options: object) => {
      const child = spawn('sleep', ['60'], { stdio: 'ignore', ...options })
      onTestFinished(() => void child.kill('SIGKILL'))
      return child
    }
    const bare = { PATH: process.env.PATH }
    const worker = sleeping({ env: { ...bare, TMPDIR: folder } })
    const server = sleeping({ env: bare, cwd: join(folder, 'data') })
    const logging = sleeping({ env: bare, stdio: ['ignore', openSync(join(folder, 'log'), 'w'), 'ignore'] })
    const other = sleeping({ env: bare, cwd: tmpdir() })

    const { code, output } = await run('node', [SCRIPT], { env: { TMPDIR: folder } })
    expect(code).toBe(1)
    const named = [...output.matchAll(/^still running: (\d+) sleep 60$/gm)].map(([, pid]) => Number(pid))
    expect(named.sort()).toEqual([worker, server, logging].map(({ pid }) => pid).sort())
    expect(other.signalCode).toBe(null)

    expect(await run('node', [SCRIPT], { env: { TMPDIR: folder } })).toEqual({ code: 0, output: '' })
  },
)

test('a folder for temporary things that others share is refused', async () => {
  const { code, output } = await run('node', [SCRIPT], { env: { TMPDIR: '/tmp' } })
  expect(output).toContain("it must be the run's own hopwhistle-ci-…")
  expect(code).toBe(1)
})
