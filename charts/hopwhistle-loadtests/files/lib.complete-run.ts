/**
 * Whether a result is of a complete run: of a profile that proves the targets, with all of its load and time, by every
 * runner to its end. Whatever is not complete never replaces what is.
 */
import {
  type ProfileName,
  type ScenarioName,
  shapeOf,
  TRAFFIC,
  targetsOf,
  trafficIn,
} from './contract.scenarios.ts'
import { type K6Result, RESULTS_FORMAT, type RunnerResult } from './loadtests.results-format.ts'
import { SENDING_PHASES } from './lib.phases.ts'
import { provesTargets } from './lib.profiles.ts'
import { countOf } from './lib.totals.ts'

const CLOCK_SLACK_SECONDS = 1
/** k6's exit codes of a test that came to its end; 99 when a threshold was missed. */
const ENDED_WELL: readonly number[] = [0, 99]

/** @returns what the result lacks, to be read after "of a run that is not complete: "; undefined when it is complete */
export function missingOf(result: K6Result): string | undefined {
  const { scenario, profile, expectedRunners, runners, distributed } = result
  const [first] = runners
  if (first === undefined || runners.length < expectedRunners) return `${runners.length} of ${expectedRunners} runners`
  if (runners.some(({ crash }) => crash !== undefined)) return 'k6 left no result'
  const early = runners.find(endedEarly)
  if (early !== undefined) return `stopped after ${secondsRun(early).toFixed(0)} of ${endOfPeak(early)} s`
  const stopped = (distributed?.runners ?? runners).find(({ exitCode = 0 }) => !ENDED_WELL.includes(exitCode))
  if (stopped !== undefined) return `stopped, with exit code ${stopped.exitCode}`
  if (!provesTargets(profile)) return `profile ${profile}`
  return smallerThanProfile(scenario, profile, first) ?? lostAtTheEnd(scenario, runners)
}

/** Whether a file's text is the result of a complete run; whatever cannot be read is not. */
export function isCompleteResult(text: string): boolean {
  try {
    const result = JSON.parse(text) as K6Result
    return result.format === RESULTS_FORMAT && missingOf(result) === undefined
  } catch {
    return false
  }
}

/** `call-state-updates.json` becomes `call-state-updates.partial.json`. */
export const partialName = (file: string): string => file.replace(/\.json$/, '.partial.json')

export const keptText = (kept: string, file: string, missing: string): string =>
  `${kept} is of a complete run and stays; this run is not complete (${missing}): ${file}`

export const secondsRun = ({ startedAt, endedAt }: RunnerResult): number =>
  (Date.parse(endedAt) - Date.parse(startedAt)) / 1000

export const endOfPeak = ({ settings }: RunnerResult): number =>
  settings.phases.find(({ name }) => name === 'peak')?.toSeconds ?? 0

/** Whether it did not live to the end of its peak. */
export const endedEarly = (runner: RunnerResult): boolean =>
  secondsRun(runner) < endOfPeak(runner) - CLOCK_SLACK_SECONDS

/** `peakSeconds 5 of 60`. VUs are left out: fewer of them send as much. */
function smallerThanProfile(
  scenario: ScenarioName,
  profile: ProfileName,
  { settings }: RunnerResult,
): string | undefined {
  const smaller = Object.entries(shapeOf(profile, scenario)).flatMap(([name, whole]) => {
    const set = Number(settings[name as keyof typeof settings] ?? 0)
    return /vus$/i.test(name) || set >= whole ? [] : [`${name} ${set} of ${whole}`]
  })
  return smaller.length === 0 ? undefined : smaller.join(', ')
}

/** A virtual user of the live scenario counts what was lost when it ends: stopped before that, it counts nothing. */
function lostAtTheEnd(scenario: ScenarioName, runners: readonly RunnerResult[]): string | undefined {
  if (targetsOf(scenario).messages === undefined) return undefined
  const { publishers = 0, subscriberVUs = 0 } = runners[0]?.settings ?? {}
  const ended = runners.reduce(
    (sum, runner) => sum + countOf(runner, 'k6_iterations') - requestsEnded(scenario, runner),
    0,
  )
  return ended >= publishers + subscriberVUs ? undefined : 'stopped before all was delivered'
}

/** Each of them is an iteration of its own. */
function requestsEnded(scenario: ScenarioName, runner: RunnerResult): number {
  return trafficIn(scenario)
    .filter((kind) => kind !== 'messages')
    .flatMap((kind) => [TRAFFIC[kind].counters.ok, TRAFFIC[kind].counters.failed])
    .flatMap((name) => SENDING_PHASES.map((phase) => `${name}_${phase}`))
    .reduce((sum, name) => sum + countOf(runner, name), 0)
}
