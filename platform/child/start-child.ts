/** Small programs of the benchmark in processes of their own, spoken to by messages. They end when this process does. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { MALLOC_ENV, NODE_FLAGS } from '@hopwhistle/contract/node-flags.ts'
import { Failure } from '../command-line/failure.ts'
import type { FromChild, ToChild } from './messages.ts'

export type Child<Ready = unknown> = {
  readonly name: string
  readonly pid: number
  /** What it said once it was ready. */
  readonly ready: Ready
  /** @throws {Failure} with what went wrong in there, or when it has ended */
  ask<Answer>(request: unknown): Promise<Answer>
  stop(): Promise<void>
}

/**
 * @param config is sent to it, rather than put on its command line, where everyone could read it
 * @throws {Failure} when it ends before it is ready: with what it printed
 */
export async function startChild<Ready>(
  name: string,
  program: URL,
  config: unknown,
  env: Readonly<Record<string, string>> = {},
): Promise<Child<Ready>> {
  const child = fork(program, {
    // What ours has, the others have too.
    execArgv: [...NODE_FLAGS],
    // A group of its own, so that Ctrl-C reaches it through this process, in order.
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
  // Not `close`, which does not come once the channel was disconnected from here.
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
