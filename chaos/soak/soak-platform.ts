import { LIMITS } from '../../contract/limits.ts'
import type { Terminal } from '../../loadtests/bench/lib/terminal.ts'
import type { MeasuredSoak } from '../measured.ts'
import { withPlatform } from '../platform/with-platform.ts'
import { runSoak } from './run-soak.ts'

/** A soak of a platform of its own; prints a line of it. */
export async function soakPlatform(
  minutes: number,
  perSecond: number,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<MeasuredSoak> {
  const apiEnv = { [LIMITS.tenant_rate.env]: '1000000' }
  return withPlatform({ instances: 3, apiEnv, terminal, signal }, async (rig) => {
    terminal.show(`  … ${minutes} minutes of ${perSecond} events a second`)
    const result = await runSoak(rig, minutes, perSecond, signal)
    terminal.clear()
    const problems = result.problems.map((one) => `\n      ${one}`).join('')
    const mark = result.problems.length === 0 ? '✓' : '✗'
    process.stdout.write(
      `  ${mark} Soak of ${minutes} minutes: ${result.sent} events, ${result.lost} lost${problems}\n`,
    )
    return { measuredAt: new Date().toISOString(), result }
  })
}
