import type { Terminal } from '@hopwhistle/platform/command-line/terminal.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { judge } from '../judge/judge.ts'
import { writeResult } from './result-files.ts'

export type JudgeOptions = {
  /** Absent: loadtests/results. */
  readonly resultsDir?: string | undefined
  readonly terminal: Terminal
}

/** Measures a scenario, judges what was measured and writes the result, as one step on the terminal. */
export async function measureAndJudge(
  scenario: string,
  measure: () => Promise<LoadtestResult>,
  { resultsDir, terminal }: JudgeOptions,
) {
  let kept: string | undefined
  const measureJudgeAndWrite = async () => {
    const measured = await measure()
    const verdict = judge(measured)
    const result = { ...measured, verdict }
    kept = writeResult(result, resultsDir)
    return result
  }
  const result = await terminal.during(scenario, measureJudgeAndWrite, ({ verdict: { outcome } }) => {
    return `${outcome === 'met' ? '✓' : '✗'} ${scenario.padEnd(22)} ${outcome}`
  })
  if (kept !== undefined) terminal.step(`  - ${kept}`)
  return result
}
