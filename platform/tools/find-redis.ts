import { existsSync } from 'node:fs'
import { Failure } from '../command-line/failure.ts'
import type { Terminal } from '../command-line/terminal.ts'
import { onPath, runProgram } from '../machine/run-program.ts'

/**
 * Finds redis-server on the PATH. Otherwise installs it, where that needs one command and no password.
 *
 * @throws {Failure} with what to do on this system
 */
export async function findRedis(terminal: Terminal, signal?: AbortSignal): Promise<string> {
  const found = onPath('redis-server')
  if (found !== undefined) return found
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) throw new Failure(HOW_TO)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const onLine = (line: string) => terminal.show(`  … apt-get: ${line}`)
  // RUNLEVEL keeps apt from starting the service of the package.
  const install = () =>
    runProgram('apt-get', ['install', '-y', '--no-install-recommends', 'redis-server'], {
      env: { ...env, RUNLEVEL: '1' },
      signal,
      onLine,
    })
  const installOrUpdate = () =>
    install().catch(async () => {
      await runProgram('apt-get', ['update'], { env, signal, onLine })
      await install()
    })
  await terminal.during(
    'redis-server is missing: apt-get install redis-server',
    installOrUpdate,
    () => `✓ ${'redis-server'.padEnd(22)} installed`,
  )
  const installed = onPath('redis-server')
  if (installed === undefined) throw new Failure(HOW_TO)
  return installed
}

const HOW_TO = `redis-server (7 or newer) is not on the PATH. Install it:
  Debian, Ubuntu   sudo apt-get install redis-server
  Fedora           sudo dnf install redis
  Alpine           sudo apk add redis
  macOS            brew install redis
  Windows          use WSL, and there: sudo apt-get install redis-server`
