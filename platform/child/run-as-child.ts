import type { FromChild, ToChild } from './messages.ts'

type Started<Ready> = {
  readonly ready: Ready
  /** Answers requests of the benchmark; absent for a program that only serves. */
  readonly answer?: (request: never) => unknown
}

/** Makes this process a program of the benchmark. It starts when it gets its configuration, and ends with its parent. */
export function runAsChild<Config, Ready>(start: (config: Config) => Promise<Started<Ready>> | Started<Ready>): void {
  let started: Started<Ready> | undefined
  const send = (message: FromChild) => void process.send?.(message)
  process.on('disconnect', () => process.exit(0))
  process.on('message', async ({ id, request }: ToChild) => {
    try {
      if (started === undefined) {
        started = await start(request as Config)
        return send({ id, answer: started.ready })
      }
      send({ id, answer: await started.answer?.(request as never) })
    } catch (error) {
      send({ id, problem: (error as Error).stack ?? String(error) })
    }
  })
}
