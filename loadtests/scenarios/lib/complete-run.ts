/**
 * Whether a result is of a complete run: of a profile that proves the targets, with all of its load and time, by every
 * runner to its end. Whatever is not complete never replaces what is.
 */
import { type LoadtestResult, RESULTS_FORMAT, type RunnerResult } from '../../results-format.ts'
import { PROFILE_NAMES, PROFILES, provesTargets, type Shapes } from './profiles.ts'

const CLOCK_SLACK_SECONDS = 1
/** k6's exit codes of a test that came to its end; 99 when a threshold was missed. */
const ENDED_WELL: readonly number[] = [0, 99]

/** @returns what the result lacks, to be read after "of a run that is not complete: "; undefined when it is complete */
export function missingOf(result: LoadtestResult): string | undefined {
  const { scenario, profile, expectedRunners, runners, distributed } = result
  const [first] = runners
  if (first === undefined || runners.length < expectedRunners) return `${runners.length} of ${expectedRunners} runners`
  if (runners.some(({ crash }) => crash !== undefined)) return 'k6 left no result'
  const early = runners.find(endedEarly)
  if (early !== undefined) return `stopped after ${secondsRun(early).toFixed(0)} of ${endOfPeak(early)} s`
  const stopped = (distributed?.runners ?? runners).find(({ exitCode = 0 }) => !ENDED_WELL.includes(exitCode))
  if (stopped !== undefined) return `stopped, with exit code ${stopped.exitCode}`
  if (!provesTargets(profile)) return `profile ${profile}`
  return smallerThanProfile(scenario as keyof Shapes, profile, first) ?? lostAtTheEnd(scenario, runners)
}

/** Whether a file's text is the result of a complete run; whatever cannot be read is not. */
export function isCompleteResult(text: string): boolean {
  try {
    const result = JSON.parse(text) as LoadtestResult
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
function smallerThanProfile(scenario: keyof Shapes, profile: string, { settings }: RunnerResult): string | undefined {
  const known = PROFILE_NAMES.find((name) => name === profile)
  const shape = known === undefined ? undefined : PROFILES[known][scenario]
  if (shape === undefined) return `profile ${profile}`
  const smaller = Object.entries(shape).flatMap(([name, whole]: [string, number]) =>
    /vus$/i.test(name) || Number(settings[name]) >= whole ? [] : [`${name} ${settings[name]} of ${whole}`],
  )
  return smaller.length === 0 ? undefined : smaller.join(', ')
}

/** A virtual user of the live scenario counts what was lost when it ends: stopped before that, it counts nothing. */
function lostAtTheEnd(scenario: string, runners: readonly RunnerResult[]): string | undefined {
  if (scenario !== 'redis-pubsub') return undefined
  const { publishers = 0, subscriberVUs = 0 } = (runners[0]?.settings ?? {}) as Partial<Shapes['redis-pubsub']>
  const ended = runners.reduce((sum, { counters }) => sum + (counters.k6_iterations ?? 0), 0)
  return ended >= publishers + subscriberVUs ? undefined : 'stopped before all was delivered'
}
