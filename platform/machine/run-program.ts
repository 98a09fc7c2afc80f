import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { Failure } from '../command-line/failure.ts'

/** Where a program is on the PATH, as an absolute path. */
export function onPath(program: string, path = process.env.PATH ?? ''): string | undefined {
  return path
    .split(delimiter)
    .filter((dir) => dir !== '')
    .map((dir) => join(dir, program))
    .find(isExecutable)
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Runs a program to its end.
 *
 * @param onLine called with each line of its stdout and stderr
 * @throws {Failure} with the last lines, when its exit code is not 0
 */
export async function runProgram(
  command: string,
  args: readonly string[],
  { env, signal, onLine }: { env?: NodeJS.ProcessEnv; signal?: AbortSignal | undefined; onLine(line: string): void },
): Promise<void> {
  const child = spawn(command, args, {
    // In its own process group, so that Ctrl-C reaches it only through this process, in order.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(env === undefined ? {} : { env }),
  })
  const abort = () => void child.kill('SIGTERM')
  signal?.addEventListener('abort', abort, { once: true })
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      said.push(line)
      if (said.length > 12) said.shift()
      onLine(line)
    })
  }
  const problem = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, killedBy) => resolve(code === 0 ? undefined : (killedBy ?? `exit code ${code}`)))
  })
  signal?.removeEventListener('abort', abort)
  signal?.throwIfAborted()
  if (problem !== undefined) {
    const call = [command.split('/').at(-1), ...args].join(' ')
    throw new Failure(
      `${call} failed (${problem})${said.length === 0 ? '' : `:\n${said.map((l) => `  ${l}`).join('\n')}`}`,
    )
  }
}
