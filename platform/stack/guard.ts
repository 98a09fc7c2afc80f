/**
 * A shell that waits for this process to end. If it ends without calling `off`, even by SIGKILL, the shell stops the
 * registered processes and removes the registered folders.
 */
import { spawn } from 'node:child_process'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'

export type Guard = {
  /** Its input. A process registers itself by the line `watch PID:SIGNAL`. */
  readonly stdin: Writable
  watch(pid: number, signal: NodeJS.Signals): void
  forget(pid: number): void
  /** Removed after every process has been stopped. */
  remove(dir: string): void
  /** Ends the guard, because nothing is left to stop. */
  off(): void
}

// The folders are the positional parameters, because paths may contain spaces. `read` fails when the other end of the
// pipe is closed, which the kernel does when the process ends.
const SCRIPT = `
pids=' '
while read -r verb value; do
  case $verb in
    watch) pids="$pids$value " ;;
    forget) pids=$(printf '%s' "$pids" | sed "s/ $value:[A-Z0-9]* / /") ;;
    remove) set -- "$@" "$value" ;;
    off) exit 0 ;;
  esac
done
for entry in $pids; do kill -s "\${entry#*:}" "\${entry%%:*}" 2>/dev/null; done
for wait in 1 2 3 4 5 6 7 8 9 10; do
  left=
  for entry in $pids; do kill -0 "\${entry%%:*}" 2>/dev/null && left=1; done
  [ -z "$left" ] && break
  sleep 0.5
done
for entry in $pids; do kill -s KILL "\${entry%%:*}" 2>/dev/null; done
[ $# -gt 0 ] && rm -rf -- "$@"
exit 0
`

export function startGuard(): Guard {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'hopwhistle-guard'], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
  })
  const say = (line: string) => void shell.stdin.write(`${line}\n`)
  // The guard must not keep this process running, and a killed guard must not end it.
  shell.unref()
  shell.stdin.on('error', () => {})
  if (shell.stdin instanceof Socket) shell.stdin.unref()
  return {
    stdin: shell.stdin,
    watch: (pid, signal) => say(`watch ${pid}:${signal.replace(/^SIG/, '')}`),
    forget: (pid) => say(`forget ${pid}`),
    remove: (dir) => say(`remove ${dir}`),
    off: () => {
      say('off')
      shell.stdin.end()
    },
  }
}
