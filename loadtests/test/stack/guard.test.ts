import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { waitUntil } from '../../bench/lib/wait-until.ts'

/** The processes with this among their arguments. */
function withArgument(argument: string): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter(Number.isInteger)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(argument)
      } catch {
        return false
      }
    })
}

const stack = (file: string) => JSON.stringify(new URL(`../../bench/stack/${file}`, import.meta.url).href)

test.runIf(process.platform === 'linux')(
  'a server is stopped though who started it was killed before it could say anything of it',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'guard-'))
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
    // Its length tells it from any other.
    const seconds = String(100_000 + process.pid)
    onTestFinished(() => withArgument(seconds).forEach((pid) => void process.kill(pid, 'SIGKILL')))
    const program = `
    import { startGuard } from ${stack('guard.ts')}
    import { startServer } from ${stack('server-process.ts')}
    const options = { name: 'one that sleeps', command: 'sleep', args: ['${seconds}'], cwd: '/', stopSignal: 'SIGTERM' }
    void startServer({ ...options, env: { PATH: process.env.PATH }, logFile: '${join(dir, 'log')}', guard: startGuard() })
    process.kill(process.pid, 'SIGKILL')`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'ignore' })
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
    await waitUntil('the server to be stopped', () => withArgument(seconds).length === 0, { timeoutMs: 10_000 })
  },
)
