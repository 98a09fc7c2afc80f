import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DEFAULT_PORT } from '@hopwhistle/contract/routes.ts'
import type { CommandContext } from '@hopwhistle/platform/command-line/command.ts'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { readPlace } from '@hopwhistle/platform/machine/place.ts'
import { besideK6 } from '@hopwhistle/platform/stack/api-instances.ts'
import { startGuard } from '@hopwhistle/platform/stack/guard.ts'
import { makeTempDir } from '@hopwhistle/platform/stack/run-as.ts'
import { readRecord, stackFolder } from '@hopwhistle/platform/stack/stack-record.ts'
import { startStack } from '@hopwhistle/platform/stack/start-stack.ts'
import { runningOf, stopStack } from '@hopwhistle/platform/stack/stop-stack.ts'
import { findK6 } from '@hopwhistle/platform/tools/find-k6.ts'
import { findRedis } from '@hopwhistle/platform/tools/find-redis.ts'
import { type Fit, machineText } from '../machine/fit.ts'
import type { MeasureAllOptions } from './measure-all.ts'
import { readEnvironment } from './read-environment.ts'
import { stackTarget } from './target.ts'

export type Measure = Omit<MeasureAllOptions, 'profile' | 'scenarios' | 'overrides' | 'resultsDir'>

export type WithStackOptions = {
  readonly fit: Fit
  readonly neighbours: readonly string[]
  /** Leaves it running. */
  readonly keep?: boolean
}

/** Starts a stack of the measurement's own, and stops it however the measurement ends. */
export async function withStack<T>(
  { fit, neighbours, keep = false }: WithStackOptions,
  { terminal, signal }: Pick<CommandContext, 'terminal' | 'signal'>,
  use: (measure: Measure) => Promise<T>,
): Promise<T> {
  const other = readRecord(stackFolder())
  const otherRuns = other !== undefined && runningOf(other).length > 0
  if (otherRuns && keep) throw new Failure('a stack is up already, and two cannot be kept; first: make down')
  if (otherRuns)
    process.stderr.write('Another stack is running and takes CPU from this measurement. To stop it: make down\n')

  const k6 = await findK6(terminal, signal)
  const redisServer = await findRedis(terminal, signal)
  const place = await readPlace(neighbours)
  terminal.step(`  ✓ ${'Machine'.padEnd(22)} ${machineText(place.machine, fit)}`)
  const scratch = makeTempDir('hopwhistle-baseline-')
  const dir = keep ? stackFolder() : join(scratch, 'stack')
  const guard = startGuard()
  guard.remove(scratch)
  let kept = false
  try {
    const details = await startStack({
      dir,
      port: { number: DEFAULT_PORT, when: 'preferred' },
      host: '127.0.0.1',
      instances: fit.apiInstances,
      apiEnv: besideK6(),
      demoData: true,
      redisServer,
      guard,
      terminal,
      signal,
    })
    const target = stackTarget(readRecord(dir)?.processes ?? [], details)
    const environment = readEnvironment(place, target, k6.version)
    const result = await use({ target, k6, environment, scratchDir: join(scratch, 'k6'), guard, terminal, signal })
    kept = keep
    return result
  } finally {
    const record = readRecord(dir)
    if (record !== undefined && !kept) {
      await terminal.during('stopping', () => stopStack(dir, record))
    }
    terminal.clear()
    guard.off()
    rmSync(scratch, { recursive: true, force: true })
  }
}
