import type { LoadtestResult } from '../../results-format.ts'
import { judge } from '../judge/judge.ts'
import { duration, type Terminal } from '../lib/terminal.ts'
import { writeResult } from './result-files.ts'

export type FinishOptions = {
  /** Absent: loadtests/results. */
  readonly resultsDir?: string | undefined
  readonly terminal: Terminal
  readonly tookMs: number
}

/** Judges what was measured, writes it, and says so on the terminal. */
export function finishResult(
  measured: LoadtestResult,
  { resultsDir, terminal, tookMs }: FinishOptions,
): LoadtestResult {
  const verdict = judge(measured)
  const result = { ...measured, verdict }
  writeResult(result, resultsDir)
  const sign = verdict.outcome === 'met' ? '✓' : '✗'
  terminal.step(`  ${sign} ${measured.scenario.padEnd(22)} ${verdict.outcome} (${duration(tookMs)})`)
  return result
}
