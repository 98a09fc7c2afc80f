/** What has to hold before figures count, in the order in which a person would want to hear of it. */
import type { LoadtestResult } from '../../../results-format.ts'
import { hasCrashed, type Rule } from '../../evidence/evidence.ts'
import { apiCounters } from './api-counters.ts'
import { bucketsAddUp } from './buckets-add-up.ts'
import { crashed } from './crashed.ts'
import { cutShort } from './cut-short.ts'
import { databaseRows } from './database-rows.ts'
import { deliveriesAddUp } from './deliveries-add-up.ts'
import { differentSettings } from './different-settings.ts'
import { droppedIterations } from './dropped-iterations.ts'
import { duplicates } from './duplicates.ts'
import { generatorCpu } from './generator-cpu.ts'
import { hungTestRun } from './hung-test-run.ts'
import { lateStart } from './late-start.ts'
import { missingRunner } from './missing-runner.ts'
import { noSamples } from './no-samples.ts'
import { nodeCpu } from './node-cpu.ts'
import { offeredRate } from './offered-rate.ts'
import { oomKilled } from './oom-killed.ts'
import { operatorError } from './operator-error.ts'
import { otherPrograms } from './other-programs.ts'
import { percentileGrid } from './percentile-grid.ts'
import { receiveLag } from './receive-lag.ts'
import { reorderings } from './reorderings.ts'
import { requestsAddUp } from './requests-add-up.ts'
import { runnerError } from './runner-error.ts'
import { runnerNeverRan } from './runner-never-ran.ts'
import { scheduleLag } from './schedule-lag.ts'
import { seriesAddUp } from './series-add-up.ts'
import { smallerLoad } from './smaller-load.ts'
import { smokeProfile } from './smoke-profile.ts'
import { stolenCpu } from './stolen-cpu.ts'
import { subscribersLost } from './subscribers-lost.ts'
import { throttledCpu } from './throttled-cpu.ts'
import { unequalShares } from './unequal-shares.ts'

export const RULES: readonly Rule[] = [
  crashed,
  operatorError,
  hungTestRun,
  runnerNeverRan,
  oomKilled,
  runnerError,
  missingRunner,
  noSamples,
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
  smokeProfile,
]

/** Those to judge a result by: where a k6 left no result nothing was counted, and the others would only say so again. */
export const rulesFor = (result: LoadtestResult): readonly Rule[] => (hasCrashed(result) ? [crashed] : RULES)

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
