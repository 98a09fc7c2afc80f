import type { CallEventBody } from '@hopwhistle/contract/calls.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { HEADERS_OF_KEY } from '../platform/key.ts'
import type { PeerPlatform } from '../platform/peer-platform.ts'
import { callEvent, occurredAtMs, runName } from './call-events.ts'
import type { GeneratorConfig, Load, LoadResult } from './load.ts'

export type Generator = { readonly pid: number; run(load: Load): Promise<LoadResult>; stop(): Promise<void> }

const PROGRAM = new URL('http-load.ts', import.meta.url)

export async function startGenerator(platform: PeerPlatform, config: GeneratorConfig): Promise<Generator> {
  const child = await platform.startProgram('the load generator', PROGRAM, config)
  return { pid: child.pid, run: async (load) => requireSuccess(await child.ask<LoadResult>(load)), stop: child.stop }
}

export type EventGenerator = Generator & {
  /** Every event that was acknowledged so far. */
  acknowledged(): readonly CallEventBody[]
}

/** Sends the call events of a new run. */
export async function startEventGenerator(
  platform: PeerPlatform,
  ports: readonly number[],
  connections: number,
): Promise<EventGenerator> {
  const run = runName()
  const runStartedAtMs = Date.now()
  const plan = {
    kind: 'events',
    path: ROUTES.callEvent,
    headers: HEADERS_OF_KEY,
    run,
    runStartedAtMs,
    occurred: 'earlier',
  } as const
  const generator = await startGenerator(platform, { ports, connections, plan })
  let sent = 0
  return {
    ...generator,
    run: async (load) => {
      const result = await generator.run(load)
      sent = result.next
      return result
    },
    acknowledged: () => Array.from({ length: sent }, (_, n) => callEvent(run, n, occurredAtMs(runStartedAtMs, n))),
  }
}

/** Failed requests cost less CPU, so figures that include them are not valid. */
function requireSuccess(result: LoadResult): LoadResult {
  if (result.failed.length === 0) return result
  throw new Failure(
    `of ${result.next - result.first} requests, without success: ${JSON.stringify(result.failures)} by status or cause`,
  )
}
