/** Starts small programs of the benchmark as child processes, which communicate by messages and end with this process. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { MALLOC_ENV, NODE_FLAGS } from '@hopwhistle/contract/node-flags.ts'
import { Failure } from '../command-line/failure.ts'
import type { FromChild, ToChild } from './messages.ts'

export type Child<Ready = unknown> = {
  readonly name: string
  readonly pid: number
  /** Its message once it was ready. */
  readonly ready: Ready
  /** @throws {Failure} with the program's error, or when it has ended */
  ask<Answer>(request: unknown): Promise<Answer>
  stop(): Promise<void>
}

/**
 * @param config sent by message and not on the command line, which every user can read
 * @throws {Failure} with its output, when it ends before it is ready
 */
export async function startChild<Ready>(
  name: string,
  program: URL,
  config: unknown,
  env: Readonly<Record<string, string>> = {},
): Promise<Child<Ready>> {
  const child = fork(program, {
    // The same for the platform and the alternatives.
    execArgv: [...NODE_FLAGS],
    // In its own process group, so that Ctrl-C reaches it only through this process, in order.
    detached: true,
    env: { ...MALLOC_ENV, PATH: process.env.PATH ?? '', NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  })
  let printed = ''
  child.stderr?.on('data', (text) => {
    printed = `${printed}${text}`.slice(-2_000)
  })
  const waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>()
  const READY = 0
  let next = READY
  const receive = <T>(id: number) =>
    new Promise<T>((resolve, reject) => waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject }))
  child.on('message', (message) => {
    const { id, answer, problem } = message as FromChild
    const asked = waiting.get(id)
    waiting.delete(id)
    if (problem === undefined) asked?.resolve(answer)
    else asked?.reject(new Failure(`${name}: ${problem}`))
  })
  // Not `close`, which is not emitted after the channel was disconnected here.
  const gone = Promise.all([once(child, 'exit'), once(child.stderr as Readable, 'close')])
  void gone.then(() => {
    for (const { reject } of waiting.values())
      reject(new Failure(`${name} ended:\n${printed || '  (it printed nothing)'}`))
    waiting.clear()
  })
  child.once('error', (error) => {
    printed += error.message
  })

  const ask = <T>(request: unknown): Promise<T> => {
    const id = next++
    const answer = receive<T>(id)
    if (child.connected) child.send({ id, request } satisfies ToChild)
    else waiting.get(id)?.reject(new Failure(`${name} ended:\n${printed || '  (it printed nothing)'}`))
    return answer
  }
  const ready = await ask<Ready>(config)
  return {
    name,
    pid: child.pid as number,
    ready,
    ask,
    stop: async () => {
      if (child.connected) child.disconnect()
      const killed = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await gone
      clearTimeout(killed)
    },
  }
}
