import { LIMITS } from '../../contract/limits.ts'
import type { Terminal } from '../../platform/command-line/terminal.ts'
import { resultLine } from '../lib/result-line.ts'
import { hereAndNow, type MeasuredOverload } from '../measured.ts'
import { withPlatform } from '../rig/with-platform.ts'
import { FEW_SOCKETS } from './abuse.ts'
import type { Experiment } from './experiment.ts'
import { flood } from './flood.ts'
import { SMALL_CAPACITY, tenTimes } from './ten-times.ts'

/** Runs overload and abuse, each on a platform of its own. Prints a line for each result and passes it to `onDone`. */
export async function runOverload(
  experiments: readonly Experiment[],
  random: () => number,
  terminal: Terminal,
  signal: AbortSignal,
  onDone: (measured: MeasuredOverload) => void,
): Promise<void> {
  const run = async (these: readonly Experiment[], instances: number, env: Readonly<Record<string, string>>) => {
    if (these.length === 0) return
    const options = {
      instances,
      apiEnv: env,
      terminal,
      signal,
      ...(these.includes(tenTimes) && { rigged: { random } }),
    }
    await withPlatform(options, async (rig) => {
      for (const experiment of these) {
        signal.throwIfAborted()
        const result = await terminal.during(experiment.title, () => experiment.run(rig))
        process.stdout.write(resultLine(result.title, result.figures, result.problems))
        onDone({ name: experiment.name, ...hereAndNow(), result })
      }
    })
  }
  await run(
    experiments.filter((one) => one === tenTimes),
    1,
    SMALL_CAPACITY,
  )
  await run(
    experiments.filter((one) => one === flood),
    1,
    {},
  )
  await run(
    experiments.filter((one) => one !== tenTimes && one !== flood),
    3,
    { [LIMITS.websockets.env]: String(FEW_SOCKETS) },
  )
}
