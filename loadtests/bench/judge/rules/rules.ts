/** What has to hold before figures count, in the order in which a person would want to hear of it. */

import { hasCrashed, type Rule } from '../../evidence/evidence.ts'
import type { LoadtestResult } from '../../evidence/loadtest-result.ts'
import { apiCounters, bucketsAddUp, databaseRows, percentileGrid, requestsAddUp, seriesAddUp } from './counts.ts'
import { generatorCpu, nodeCpu, otherPrograms, stolenCpu, throttledCpu } from './cpu.ts'
import { deliveriesAddUp, duplicates, reorderings, subscribersLost } from './delivery.ts'
import { drift } from './drift.ts'
import { droppedIterations, offeredRate, receiveLag, scheduleLag, smallerLoad, smokeProfile } from './load.ts'
import {
  changedTestRun,
  collectedLate,
  crashed,
  cutShort,
  differentSettings,
  hungTestRun,
  lateStart,
  missingRunner,
  noSamples,
  oomKilled,
  operatorError,
  runnerError,
  runnerNeverRan,
  unequalShares,
  unsampled,
} from './test-run.ts'

export const RULES: readonly Rule[] = [
  crashed,
  operatorError,
  hungTestRun,
  runnerNeverRan,
  oomKilled,
  runnerError,
  missingRunner,
  noSamples,
  collectedLate,
  unsampled,
  changedTestRun,
  cutShort,
  lateStart,
  differentSettings,
  unequalShares,
  smallerLoad,
  droppedIterations,
  offeredRate,
  scheduleLag,
  receiveLag,
  generatorCpu,
  throttledCpu,
  nodeCpu,
  otherPrograms,
  stolenCpu,
  requestsAddUp,
  bucketsAddUp,
  seriesAddUp,
  percentileGrid,
  subscribersLost,
  deliveriesAddUp,
  duplicates,
  reorderings,
  apiCounters,
  databaseRows,
  drift,
  smokeProfile,
]

/** What does not hold of a run that bench ended before its time: requests were under way. */
const ABOUT_THE_END: ReadonlySet<Rule> = new Set([
  runnerError,
  cutShort,
  requestsAddUp,
  bucketsAddUp,
  percentileGrid,
  subscribersLost,
  deliveriesAddUp,
  apiCounters,
  databaseRows,
])

/** Those to judge a result by: where a k6 left no result nothing was counted, and the others would only say so again. */
export function rulesFor(result: LoadtestResult): readonly Rule[] {
  if (hasCrashed(result)) return [crashed]
  return result.abandoned === undefined ? RULES : RULES.filter((rule) => !ABOUT_THE_END.has(rule))
}

/**
 * Rules about how fast the run was made, not about what it left: on a busy machine they fail though everything adds up.
 * A test of the whole job looks at the others.
 */
export const RULES_ABOUT_TIMING: ReadonlySet<string> = new Set(
  [
    lateStart,
    droppedIterations,
    offeredRate,
    scheduleLag,
    receiveLag,
    generatorCpu,
    throttledCpu,
    nodeCpu,
    otherPrograms,
    stolenCpu,
  ].map(({ name }) => name),
)
