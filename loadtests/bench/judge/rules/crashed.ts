import { constants } from 'node:os'
import { number } from '@hopwhistle/platform/document/figures.ts'
import type { Crash, RunnerResult } from '../../../results-format.ts'
import { secondsRun } from '../../../scenarios/lib/complete-run.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'

/** Every k6 of this machine lived to write its result. */
export const crashed: Rule = {
  name: 'crashed',
  check: ({ result: { runners } }) =>
    runners.flatMap((runner) => (runner.crash === undefined ? [] : [invalid(crashText(runner, runner.crash))])),
}

function crashText(runner: RunnerResult, { signal, overdueSeconds, lastWords }: Crash): string {
  const words = lastWords === undefined ? '' : ` (${lastWords})`
  if (overdueSeconds !== undefined) {
    return `k6 was still running ${number(overdueSeconds)} s after its load was to be over, and was stopped without a result${words}`
  }
  const after = `after ${number(Math.max(0, secondsRun(runner)), 1)} s and left no result${words}`
  if (signal === undefined) return `k6 ended with exit code ${runner.exitCode} ${after}`
  const why = signal === 'SIGKILL' ? '; the kernel sends it when memory runs out' : ''
  return `k6 was ended by signal ${constants.signals[signal as NodeJS.Signals] ?? '?'} (${signal}) ${after}${why}`
}
