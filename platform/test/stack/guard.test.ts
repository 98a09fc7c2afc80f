import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { waitUntil } from '../../lib/wait-until.ts'
import { processesOf } from '../../test-support/program.ts'

const stack = (file: string) => JSON.stringify(new URL(`../../stack/${file}`, import.meta.url).href)

test.runIf(process.platform === 'linux')(
  'a server is stopped though who started it was killed before it could say anything of it',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "somebody's guard-"))
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
    const program = `
    import { startGuard } from ${stack('guard.ts')}
    import { startServer } from ${stack('server-process.ts')}
    const options = { name: 'one that sleeps', command: 'sleep', args: ['60'], cwd: '/', stopSignal: 'SIGTERM' }
    void startServer({ ...options, env: { PATH: process.env.PATH, TMPDIR: ${JSON.stringify(dir)} }, logFile: ${JSON.stringify(join(dir, 'log'))}, guard: startGuard() })
    process.kill(process.pid, 'SIGKILL')`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'ignore' })
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
    await waitUntil('the server to be stopped', () => processesOf(dir).length === 0, { timeoutMs: 10_000 })
  },
)
