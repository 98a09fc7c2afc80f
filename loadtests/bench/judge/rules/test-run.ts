/** Whether the test run itself came to its end: the operator, and every runner. */
import { constants } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import { TRAFFIC } from '@hopwhistle/contract/scenarios.ts'
import { bytes, list, number, plural } from '@hopwhistle/platform/document/figures.ts'
import type { Crash, RunnerPod, RunnerResult, RunnerSettings } from '../../../results-format.ts'
import { endedEarly, endOfPeak, secondsRun } from '../../../scenarios/lib/complete-run.ts'
import { histogramCount } from '../../../scenarios/lib/histogram.ts'
import { invalid, isDistributed, type Rule, type Sampled, sampledLateBy } from '../../evidence/evidence.ts'
import type { LoadtestResult } from '../../evidence/loadtest-result.ts'
import { trafficOf } from '../../evidence/traffic.ts'
import type { Reason } from '../../evidence/verdict.ts'

/** What is about the run in a cluster alone, whatever it measured: also of scripts of others. */
export type ClusterRule = {
  readonly name: string
  check(evidence: {
    readonly result: Pick<LoadtestResult, 'distributed' | 'expectedRunners' | 'server'>
  }): readonly Omit<Reason, 'rule'>[]
}

/** k6-operator could start the test. */
export const operatorError: ClusterRule = {
  name: 'operator-error',
  check({ result: { distributed } }) {
    if (distributed?.failure === undefined) return []
    return [invalid(`k6-operator could not start the test run: ${distributed.failure}`)]
  },
}

/** The test run came to its end in time. */
export const hungTestRun: ClusterRule = {
  name: 'hung-test-run',
  check({ result: { distributed } }) {
    if (distributed?.hung === undefined) return []
    const { stage, hung, runners } = distributed
    const open = runners.filter(({ state }) => state !== 'ended').map(({ instance }) => instance)
    const which = open.length === 0 ? '' : `; not over: ${plural(open.length, 'runner')} (${list(open)})`
    const because = hung.because === undefined ? which : `: ${hung.because}`
    return [
      invalid(
        `the test run was still "${stage}" after ${number(hung.afterSeconds)} s; ` +
          `${number(hung.allowedSeconds)} s are allowed${because}`,
      ),
    ]
  },
}

/**
 * The run was watched from before its load on. Throttling, the CPU of nodes and what the API counted are seen while it
 * lasts or never, and each may make it invalid.
 */
export const collectedLate: Rule = { name: 'collected-late', check: ({ result }) => collectedTooLate(result) }

/** The same of any run: also of scripts of others. */
export function collectedTooLate(result: Sampled): readonly Omit<Reason, 'rule'>[] {
  const { server, runners } = result
  const late = sampledLateBy(result)
  if (runners.length === 0 || (server === undefined ? !isDistributed(result) : late === 0)) return []
  const ended = Math.max(...runners.map(({ endedAt }) => Date.parse(endedAt)))
  const isOver = Date.parse(server?.startedAt ?? '') > ended
  const when = isOver ? 'after the run had ended' : `from ${number(late, 1)} s after the load began`
  const sampled = server === undefined ? 'nothing was sampled' : `the servers and the runners were sampled ${when}`
  const again = isDistributed(result) ? 'Apply the TestRun again and collect it at once' : 'Run it again'
  return [invalid(`collected too late to know: ${sampled}. ${again}`)]
}

/** What measures a run samples its servers as well: a result of it without that was cut, or is of another version. */
export const unsampled: Rule = {
  name: 'unsampled',
  check({ result }) {
    const { server, environment, series, runners } = result
    // Not there in what k6 itself writes.
    const isMeasured =
      environment !== undefined || series !== undefined || runners.some(({ exitCode }) => exitCode !== undefined)
    if (server !== undefined || !isMeasured || isDistributed(result)) return []
    return [invalid('what was sampled of the servers is missing, or in a format that this version does not know')]
  },
}

/** The TestRun is still the one that ran: what is read from it is about its runners. */
export const changedTestRun: ClusterRule = {
  name: 'changed-test-run',
  check: ({ result: { distributed } }) =>
    (distributed?.changed ?? []).map((change) =>
      invalid(`the TestRun was changed since its runners were made: ${change}`),
    ),
}

const NEVER: Partial<Record<RunnerPod['state'], string>> = {
  absent: 'has no pod',
  unscheduled: 'was not scheduled: no node takes it',
  waiting: 'did not start',
}

/** Every runner had a pod, a node, and a container that ran. */
export const runnerNeverRan: ClusterRule = {
  name: 'runner-never-ran',
  check({ result }) {
    const { distributed, expectedRunners } = result
    const known = distributed?.runners.length ?? 0
    if (isDistributed(result) && known < expectedRunners) {
      return [invalid(`it is known of ${known} of ${plural(expectedRunners, 'runner')} what became of its pod`)]
    }
    const never = (distributed?.runners ?? []).filter(({ state }) => state in NEVER)
    // The quota that refuses one refuses others as well.
    const alike = Map.groupBy(never, ({ state, reason = '' }) => `${state} ${reason.replace(/"[^"]*"/, '')}`)
    return [...alike.values()].flatMap((runners) => {
      const [first] = runners
      if (first === undefined) return []
      const more = runners.length === 1 ? '' : `, and so ${plural(runners.length - 1, 'other runner')}`
      const why = first.reason === undefined ? '' : ` (${first.reason})`
      return [invalid(`runner ${first.instance} ${NEVER[first.state]}${why}${more}`)]
    })
  },
}

/** No runner was killed for want of memory. */
export const oomKilled: ClusterRule = {
  name: 'oom-killed',
  check({ result: { distributed } }) {
    return (distributed?.runners ?? []).flatMap(({ instance, oomKilled, memoryLimitBytes }) => {
      if (oomKilled !== true) return []
      const limit = memoryLimitBytes === undefined ? 'it has no limit: its node had none left' : bytes(memoryLimitBytes)
      return [invalid(`runner ${instance} was killed for want of memory (OOMKilled); its limit: ${limit}`)]
    })
  },
}

/** k6's exit codes, as of 1.8 and 2.2. */
const MEANINGS: Readonly<Record<number, string>> = {
  97: 'the cloud test failed',
  100: 'setup took too long',
  101: 'teardown took too long',
  102: 'a generic timeout',
  103: 'stopped over its REST API',
  104: 'a bad configuration',
  105: 'stopped by a signal',
  106: 'its REST API could not start',
  107: 'the script threw an exception',
  108: 'the script aborted the test',
  109: 'a panic inside k6',
  110: 'the script marked the test as failed',
  137: 'killed, most often for want of memory',
  143: 'stopped by a signal',
}

/** Failed thresholds: of one runner's share. The merged result is judged against the targets by itself. */
const THRESHOLDS_FAILED = 99

/** Every runner whose exit code is known ended well, whatever k6-operator says: it calls any end `finished`. */
export const runnerError: Rule = {
  name: 'runner-error',
  check({ result: { runners, distributed } }) {
    const ended: readonly Ended[] = distributed?.runners ?? runners
    const though = distributed?.stage === 'finished' ? ', though k6-operator calls the test run finished' : ''
    return ended.flatMap(({ instance, exitCode, lastWords, state, reason }) => {
      if (exitCode === undefined && state === 'ended') {
        return [
          invalid(
            `runner ${instance} ended, and its exit code is not known${reason === undefined ? '' : ` (${reason})`}`,
          ),
        ]
      }
      if (exitCode === undefined || exitCode === 0 || exitCode === THRESHOLDS_FAILED) return []
      const words = lastWords === undefined ? '' : ` (${lastWords})`
      return [
        invalid(
          `runner ${instance} exited with ${exitCode}: ${MEANINGS[exitCode] ?? 'not a code of k6'}${words}${though}`,
        ),
      ]
    })
  },
}

type Ended = Pick<RunnerPod, 'instance' | 'exitCode' | 'lastWords'> & Partial<Pick<RunnerPod, 'state' | 'reason'>>

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

/** Every k6 process of the test has left a result, and each of them once. */
export const missingRunner: Rule = {
  name: 'missing-runner',
  check({ result: { runners, expectedRunners } }) {
    const names = runners.map(({ instance }) => instance)
    const twice = [...new Set(names.filter((name, i) => names.indexOf(name) !== i))]
    if (twice.length > 0) return [invalid(`the results of runner ${list(twice)} are there more than once`)]
    if (runners.length === expectedRunners) return []
    const found = runners.length === 0 ? 'none' : list(names)
    return [
      invalid(`${plural(expectedRunners, 'runner')} shared the load and ${runners.length} left a result: ${found}`),
    ]
  },
}

/** Nothing measured is not a pass: k6 itself takes an empty latency for 0 ms. */
export const noSamples: Rule = {
  name: 'no-samples',
  check({ result, kinds, totals }) {
    if (result.runners.length === 0) return [invalid('no runner left a result')]
    return kinds.flatMap((kind) => {
      const { sent, latency } = trafficOf(kind, totals, 'peak')
      if (sent === 0)
        return [invalid(`nothing was sent during the peak${kind === kinds[0] ? '' : `: no ${TRAFFIC[kind].many}`}`)]
      if (histogramCount(latency) > 0) return []
      const what = kind === 'messages' ? 'messages' : 'requests'
      return [invalid(`no latency was recorded during the peak, though ${sent} ${what} were sent`)]
    })
  },
}

/** Every runner lived to the end of its peak. */
export const cutShort: Rule = {
  name: 'cut-short',
  check({ result: { runners } }) {
    return runners.filter(endedEarly).map((runner) => {
      const [ran, needed] = [number(secondsRun(runner), 1), number(endOfPeak(runner))]
      return invalid(`runner ${runner.instance} ended after ${ran} s; the peak lasts until ${needed} s`)
    })
  },
}

/** Between the first runner and the last. */
export const MOST_SKEW_SECONDS = 1

/** Runners began together: else their peaks do not lie above each other and the rate was never the sum. */
export const lateStart: Rule = {
  name: 'late-start',
  check({ result: { runners } }) {
    const starts = runners.map(({ instance, startedAt }) => ({ instance, at: Date.parse(startedAt) }))
    const first = starts.reduce((a, b) => (b.at < a.at ? b : a), starts[0] ?? { instance: '', at: 0 })
    return starts
      .filter(({ at }) => at - first.at > 1000 * MOST_SKEW_SECONDS)
      .map(({ instance, at }) =>
        invalid(
          `runner ${instance} started ${number((at - first.at) / 1000, 1)} s after runner ${first.instance}; ` +
            `${MOST_SKEW_SECONDS} s is allowed`,
        ),
      )
  },
}

/** All runners ran the same test: only then do their counts add up to one. */
export const differentSettings: Rule = {
  name: 'different-settings',
  check({ result: { runners } }) {
    const [first, ...others] = runners
    if (first === undefined) return []
    return others.flatMap(({ instance, settings }) => {
      const names = new Set([...Object.keys(first.settings), ...Object.keys(settings)] as (keyof RunnerSettings)[])
      const different = [...names].filter((name) => !isDeepStrictEqual(first.settings[name], settings[name]))
      return different.map((name) =>
        invalid(
          `runner ${instance} ran with ${name} ${JSON.stringify(settings[name])}, ` +
            `runner ${first.instance} with ${JSON.stringify(first.settings[name])}`,
        ),
      )
    })
  },
}

/** How far from an even share a runner's load may be, as a part of that share. */
const TOLERANCE = 0.05
/** Requests are whole, and one at either end of the peak may fall inside or outside: of a small share that is much. */
const ENDS = 2

/**
 * Every runner carried its part of the load. A publisher is never divided, so that the part of a runner may be one
 * publisher more or less than even.
 */
export const unequalShares: Rule = {
  name: 'unequal-shares',
  check({ result: { runners, expectedRunners }, kinds, totals }) {
    if (runners.length < 2) return []
    return kinds.flatMap((kind) => {
      const all = trafficOf(kind, totals, 'peak').sent
      const even = all / runners.length
      return runners.flatMap((runner) => {
        const { sent } = trafficOf(kind, runner, 'peak')
        const { publishers = 0, maxVUs = 0 } = runner.settings
        const indivisible = kind === 'messages' && publishers > 0 ? all / publishers : 0
        if (Math.abs(sent - even) <= Math.max(even * TOLERANCE, indivisible, ENDS)) return []
        return [
          invalid(
            `runner ${runner.instance} sent ${number(sent)} of ${number(all)} during the peak; ` +
              `an even share is ${number(even)}${maxVUs % expectedRunners === 0 ? '' : indivisibleVUs(maxVUs, expectedRunners)}`,
          ),
        ]
      })
    })
  },
}

/** The scenarios round their virtual users up to a multiple of PARALLELISM, so that every runner gets as many. */
const indivisibleVUs = (maxVUs: number, runners: number): string =>
  `, but k6 divides the load as its ${number(maxVUs)} virtual users: is PARALLELISM ${number(runners)}?`
