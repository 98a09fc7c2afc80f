import type { Terminal } from '../../platform/command-line/terminal.ts'
import { number } from '../../platform/document/figures.ts'
import { freePort } from '../../platform/machine/free-port.ts'
import { resultLine } from '../lib/result-line.ts'
import { hereAndNow, type MeasuredSoak } from '../measured.ts'
import { withPlatform } from '../rig/with-platform.ts'
import { runSoak } from './run-soak.ts'

/** Runs a soak on a platform of its own and prints one line about it. */
export async function soakPlatform(
  minutes: number,
  perSecond: number,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<MeasuredSoak> {
  const inspectPort = await freePort()
  const apiEnv = { NODE_OPTIONS: `--inspect-port=127.0.0.1:${inspectPort}` }
  return withPlatform({ instances: 3, apiEnv, terminal, signal }, async (rig) => {
    const what = `${minutes} minutes of ${perSecond} events a second`
    const result = await terminal.during(what, () => runSoak(rig, { minutes, perSecond, inspectPort }, signal))
    const figures = `${number(result.sent)} events, ${number(result.lost)} lost`
    process.stdout.write(resultLine(`Soak of ${minutes} minutes`, figures, result.problems))
    return { ...hereAndNow(), result }
  })
}
