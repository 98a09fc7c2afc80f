/** Every rule, seen failing: a guard that cannot fail is worse than none. */
import type { ProfileName } from '@hopwhistle/contract/scenarios.ts'
import { afterAll, describe, expect, test } from 'vitest'
import type { LoadtestResult } from '../../bench/evidence/loadtest-result.ts'
import { judge } from '../../bench/judge/judge.ts'
import { RULES, RULES_ABOUT_TIMING } from '../../bench/judge/rules/rules.ts'
import type { Environment } from '../../bench/sample/environment.ts'
import type { Series } from '../../bench/sample/server-evidence.ts'
import type {
  Crash,
  DistributedRun,
  HistogramData,
  RunnerPod,
  RunnerResult,
  SeriesPoint,
} from '../../results-format.ts'
import { histogramOfValues } from '../../scenarios/lib/histogram.ts'
import { distributedWith } from '../fixtures/distributed-with.ts'
import { ENVIRONMENT, type ResultOptions, resultWith, STARTED_AT, withCounters } from '../fixtures/result-with.ts'
import { processWith, serverWith } from '../fixtures/server-with.ts'

const seen = new Set<string>()

/** What one rule says of a result. */
function said(rule: string, result: LoadtestResult, effect: 'invalid' | 'remark' = 'invalid'): readonly string[] {
  const reasons = judge(result).reasons.filter((reason) => reason.rule === rule && reason.effect === effect)
  if (reasons.length > 0) seen.add(rule)
  return reasons.map(({ text }) => text)
}

const second = (change: (runner: RunnerResult) => RunnerResult) => (runner: RunnerResult, i: number) =>
  i === 1 ? change(runner) : runner
const live = (options: Omit<ResultOptions, 'scenario'> = {}) => resultWith({ scenario: 'redis-pubsub', ...options })
/** A histogram with so many of its values taken out, the smallest first. */
function lessOf(histogram: HistogramData, values: number): HistogramData {
  let left = values
  const counts = histogram.counts.flatMap(([index, count]) => {
    const gone = Math.min(left, count)
    left -= gone
    return count === gone ? [] : [[index, count - gone] as const]
  })
  return { ...histogram, counts }
}
const at = (seconds: number) => new Date(STARTED_AT + 1000 * seconds).toISOString()

describe('no-samples', () => {
  test('nothing at all', () => {
    expect(said('no-samples', { ...resultWith(), runners: [] })).toEqual(['no runner left a result'])
  })

  test('a run without traffic, which k6 itself would pass', () => {
    const silent = withCounters({ updates_sent_peak: 0, updates_ok_peak: 0 })
    const result = resultWith({ runner: (runner) => ({ ...silent(runner), histograms: {}, trends: {} }) })
    expect(said('no-samples', result)).toEqual(['nothing was sent during the peak'])
    expect(judge(result).metrics.find(({ name }) => name === 'p95')).not.toHaveProperty('measured')
  })

  test('traffic without latencies', () => {
    const result = resultWith({ runner: (runner) => ({ ...runner, histograms: {} }) })
    expect(said('no-samples', result)).toEqual([
      'no latency was recorded during the peak, though 30300 requests were sent',
    ])
  })
})

describe('crashed', () => {
  const crashedWith = (crash: Crash, exitCode: number) =>
    resultWith({
      runner: (runner) => ({ ...runner, exitCode, crash, endedAt: at(12.5), counters: {}, histograms: {}, trends: {} }),
    })

  test('by a signal, by itself, and when it hung', () => {
    expect(said('crashed', crashedWith({ signal: 'SIGKILL' }, 137))).toEqual([
      'k6 was ended by signal 9 (SIGKILL) after 12.5 s and left no result; the kernel sends it when memory runs out',
    ])
    expect(said('crashed', crashedWith({ lastWords: 'fatal error: runtime: out of memory' }, 2))).toEqual([
      'k6 ended with exit code 2 after 12.5 s and left no result (fatal error: runtime: out of memory)',
    ])
    expect(said('crashed', crashedWith({ signal: 'SIGKILL', overdueSeconds: 240 }, 137))).toEqual([
      'k6 was still running 240 s after its load was to be over, and was stopped without a result',
    ])
  })

  test('is all that there is to say of such a run', () => {
    const { reasons, metrics } = judge(crashedWith({ signal: 'SIGKILL' }, 137))
    expect(reasons.map(({ rule }) => rule)).toEqual(['crashed'])
    expect(metrics.filter(({ measured }) => measured !== undefined)).toEqual([])
  })
})

describe('missing-runner', () => {
  test('fewer results than runners', () => {
    const { runners, ...rest } = resultWith({ runners: 3 })
    expect(said('missing-runner', { ...rest, runners: runners.slice(0, 2) })).toEqual([
      '3 runners shared the load and 2 left a result: 1 and 2',
    ])
  })

  test('one result twice, which would count its load twice', () => {
    const result = resultWith({ runners: 2, runner: (runner) => ({ ...runner, instance: 'a' }) })
    expect(said('missing-runner', result)).toEqual(['the results of runner a are there more than once'])
  })
})

test('runner-error: an exit code that is not of failed thresholds', () => {
  const exits = (exitCode: number) => resultWith({ runner: (runner) => ({ ...runner, exitCode }) })
  expect(said('runner-error', exits(107))).toEqual(['runner 1 exited with 107: the script threw an exception'])
  expect(said('runner-error', exits(137))).toEqual(['runner 1 exited with 137: killed, most often for want of memory'])
  expect(said('runner-error', exits(99))).toEqual([])
})

test('cut-short: a runner that ended before its peak did', () => {
  const result = resultWith({ runner: (runner) => ({ ...runner, endedAt: at(42.5) }) })
  expect(said('cut-short', result)).toEqual(['runner 1 ended after 42.5 s; the peak lasts until 75 s'])
})

test('late-start: a runner that began more than a second after the first', () => {
  const late = (seconds: number) =>
    resultWith({ runners: 2, runner: second((runner) => ({ ...runner, startedAt: at(seconds) })) })
  expect(said('late-start', late(1.4))).toEqual(['runner 2 started 1.4 s after runner 1; 1 s is allowed'])
  expect(said('late-start', late(0.9))).toEqual([])
})

test('different-settings: runners of two tests', () => {
  const result = resultWith({
    runners: 2,
    runner: second((runner) => ({ ...runner, settings: { ...runner.settings, maxVUs: 7 } })),
  })
  expect(said('different-settings', result)).toEqual(['runner 2 ran with maxVUs 7, runner 1 with 1000'])
})

describe('unequal-shares', () => {
  test('a runner that carried less than its part', () => {
    const result = resultWith({ runners: 2, runner: second(withCounters({ updates_sent_peak: 10_000 })) })
    expect(said('unequal-shares', result)).toEqual([
      'runner 1 sent 15,150 of 25,150 during the peak; an even share is 12,575',
      'runner 2 sent 10,000 of 25,150 during the peak; an even share is 12,575',
    ])
  })

  test('of a few requests for each, one more or less at an end of the peak is no other part', () => {
    const sent = (runner: RunnerResult, i: number) => withCounters({ updates_sent_peak: 9 + (i % 3) })(runner)
    expect(said('unequal-shares', resultWith({ runners: 60, runner: sent }))).toEqual([])
    const idle = (runner: RunnerResult, i: number) => withCounters({ updates_sent_peak: i === 0 ? 7 : 10 })(runner)
    expect(said('unequal-shares', resultWith({ runners: 60, runner: idle }))).toHaveLength(1)
  })

  test('a runner with more virtual users than the others, for they cannot be divided', () => {
    const seven = (runner: RunnerResult) => ({ ...runner, settings: { ...runner.settings, maxVUs: 7 } })
    const result = resultWith({
      runners: 3,
      runner: second((runner) => withCounters({ updates_sent_peak: 20_000 })(seven(runner))),
    })
    expect(said('unequal-shares', result)[1]).toBe(
      'runner 2 sent 20,000 of 40,200 during the peak; an even share is 13,400, ' +
        'but k6 divides the load as its 7 virtual users: is PARALLELISM 3?',
    )
  })

  test('not a publisher more or less, for a publisher is never divided', () => {
    const result = live({ runners: 2, runner: second(withCounters({ messages_published_peak: 12_000 })) })
    expect(said('unequal-shares', result)).toEqual([])
  })
})

describe('smaller-load', () => {
  const withSettings = (result: LoadtestResult, settings: Record<string, number>): LoadtestResult => ({
    ...result,
    runners: result.runners.map((runner) => ({ ...runner, settings: { ...runner.settings, ...settings } })),
  })

  test('a target that was quietly lowered', () => {
    expect(said('smaller-load', withSettings(resultWith(), { targetPerSecond: 200 }))).toEqual([
      'the test was set to 200 requests or messages a second; the target is about 500',
    ])
    expect(said('smaller-load', withSettings(live(), { subscribers: 20 }))).toEqual([
      'the test was set to 20 subscribers; the target is about 200',
    ])
  })

  test('but more than the target is fine, and smoke is small on purpose', () => {
    expect(said('smaller-load', withSettings(resultWith(), { targetPerSecond: 900 }))).toEqual([])
    expect(said('smaller-load', resultWith({ profile: 'smoke' }))).toEqual([])
  })
})

test('dropped-iterations: what k6 or a publisher left out', () => {
  const dropped = (more: Record<string, number>) => resultWith({ runner: withCounters(more) })
  expect(said('dropped-iterations', dropped({ k6_dropped_iterations: 31, k6_vus_max: 1000 }))).toEqual([
    'generator: k6 dropped 31 iterations: all 1,000 virtual users were waiting for answers',
  ])
  expect(said('dropped-iterations', dropped({ k6_dropped_iterations: 1 }))).toEqual([
    'generator: k6 dropped 1 iteration, with 500 of 1,000 virtual users in use',
  ])
  expect(said('dropped-iterations', live({ runner: withCounters({ publish_dropped_peak: 8 }) }))).toEqual([
    'generator: 8 messages not sent, for too many posts of a publisher were unanswered',
  ])
})

test('offered-rate: a generator that sent less than the target asks for', () => {
  const slow = withCounters({ updates_sent_peak: 29_400, updates_ok_peak: 29_400 })
  expect(said('offered-rate', resultWith({ runner: slow }))).toEqual([
    'generator: 490.0 a second were sent during the peak; 505 were to be offered and the target needs 500',
  ])
})

test('schedule-lag: publishers that sent late', () => {
  const result = live({
    runner: (runner) => ({
      ...runner,
      histograms: { ...runner.histograms, schedule_lag_peak: histogramOfValues(new Array(100).fill(80)) },
    }),
  })
  expect(said('schedule-lag', result)).toEqual([
    'generator: p95 of how late its publishers sent is 80 ms; 50 ms is allowed',
  ])
})

test('receive-lag: a latency beyond its target that was spent inside k6', () => {
  const lagging = (lagMs: number) =>
    live({
      slowness: 3,
      runner: (runner) => ({
        ...runner,
        histograms: { ...runner.histograms, receive_lag_peak: histogramOfValues(new Array(100).fill(lagMs)) },
      }),
    })
  expect(said('receive-lag', lagging(150))[0]).toMatch(
    /^generator: of p95 latency 11\d ms, frames waited 1\d\d ms inside k6$/,
  )
  expect(said('receive-lag', lagging(2))).toEqual([])
})

describe('CPU', () => {
  const busy = (k6: number, other = 0, slowness = 9) =>
    resultWith({
      slowness,
      server: serverWith({
        cpuIdle: 0,
        processes: [processWith('k6', 'k6', k6), processWith('api-1', 'api', 2 - k6 - other)],
      }),
    })

  test('generator-cpu: a miss on a saturated machine of which k6 has a large part', () => {
    expect(said('generator-cpu', busy(0.9))).toEqual([
      'generator: the machine was 100 % busy during the peak and k6 used 0.90 of 2 cores, ' +
        'so that a miss (p95 latency and p99 latency) may be its own',
    ])
    expect(said('generator-cpu', busy(0.2))).toEqual([])
  })

  test('generator-cpu: targets that are met all the same are met', () => {
    expect(judge(busy(0.9, 0, 1)).outcome).toBe('met')
    expect(said('generator-cpu', busy(0.9, 0, 1), 'remark')).toHaveLength(1)
  })

  test('generator-cpu: with the right of way it was the platform that waited, and a miss is its own', () => {
    const environment: Environment = { ...ENVIRONMENT, generatorPriority: { method: 'nice', platform: 15, k6: 0 } }
    expect(judge({ ...busy(0.9), environment }).outcome).toBe('missed')
    expect(said('generator-cpu', { ...busy(0.9), environment }, 'remark')).toEqual([
      'the machine was 100 % busy during the peak and k6 used 0.90 of 2 cores, with the right of way: it was the ' +
        'platform that waited for CPU',
    ])
    const none: Environment = { ...ENVIRONMENT, generatorPriority: { method: 'none', why: 'EPERM' } }
    expect(said('generator-cpu', { ...busy(0.9), environment: none })).toHaveLength(1)
  })

  describe('under a quota of one of two cores', () => {
    const inQuota = (k6: number, api: number, cpuIdle: number) =>
      resultWith({
        slowness: 9,
        server: serverWith({
          cpuIdle,
          machine: { quota: { cores: 1, throttled: 0.7 } },
          processes: [processWith('k6', 'k6', k6), processWith('api-1', 'api', api)],
        }),
      })

    test('generator-cpu: a machine that is half idle is 100 % busy when its quota is used up', () => {
      expect(said('generator-cpu', inQuota(0.4, 0.6, 1))).toEqual([
        'generator: the machine was 100 % busy during the peak and k6 used 0.40 of 1 cores, ' +
          'so that a miss (p95 latency and p99 latency) may be its own',
      ])
      expect(said('generator-cpu', inQuota(0.4, 0.3, 1.3))).toEqual([])
    })

    test('other-programs: what they use of the core that the quota leaves alone is no loss', () => {
      expect(said('other-programs', inQuota(0.4, 0.6, 0))).toEqual([])
      expect(said('other-programs', inQuota(0.3, 0.4, 0))).toHaveLength(1)
    })
  })

  test('other-programs: a miss beside programs that are no part of it', () => {
    expect(said('other-programs', busy(0.3, 0.7))).toEqual([
      'other programs used 0.70 of 2 cores; a miss (p95 latency and p99 latency) may be their doing',
    ])
    expect(said('other-programs', busy(0.3, 0.1))).toEqual([])
    expect(said('other-programs', busy(0.3, 0.7, 1), 'remark')).toHaveLength(1)
  })

  test('other-programs: less is too much where no CPU was left', () => {
    const little = { cpuIdle: 0.2, processes: [processWith('k6', 'k6', 0.85), processWith('api-1', 'api', 0.71)] }
    expect(said('other-programs', busy(0.85, 0.24))).toEqual([
      'other programs used 0.24 of 2 cores; a miss (p95 latency and p99 latency) may be their doing',
    ])
    expect(said('other-programs', resultWith({ slowness: 9, server: serverWith(little) }))).toEqual([])
  })

  test('other-programs: are named, the largest first; a declared neighbour is none of them', () => {
    const others = busy(0.3, 0.6)
    const beside = (...neighbours: string[]): LoadtestResult => ({
      ...others,
      environment: { ...others.environment!, neighbours },
      server: {
        ...others.server!,
        otherPrograms: [
          { name: 'ffmpeg', cpuCores: 0.45 },
          { name: 'cron', cpuCores: 0.1 },
        ],
      },
    })
    expect(said('other-programs', beside())).toEqual([
      'other programs used 0.60 of 2 cores: ffmpeg 0.45 and cron 0.10; ' +
        'a miss (p95 latency and p99 latency) may be their doing',
    ])
    expect(said('other-programs', beside('cron'))).toEqual([
      'other programs used 0.50 of 2 cores: ffmpeg 0.45; a miss (p95 latency and p99 latency) may be their doing',
    ])
    expect(said('other-programs', beside('ffmpeg'))).toEqual([])
    expect(said('other-programs', beside('any'))).toEqual([])
    expect(judge(beside('any')).outcome).toBe('missed')
  })

  test('stolen-cpu: a host that takes its CPU back', () => {
    const stolen = resultWith({
      slowness: 9,
      server: serverWith({
        machine: { cpuCores: { user: 0.5, system: 0.2, iowait: 0, steal: 0.4, idle: 0.9 } },
      }),
    })
    expect(said('stolen-cpu', stolen)).toEqual([
      'the host took 0.40 of 2 cores away from this machine (steal), ' +
        'so that a miss (p95 latency and p99 latency) may be its doing',
    ])
  })
})

describe('a distributed run', () => {
  const pods = (change: (pod: RunnerPod) => RunnerPod, more: Partial<DistributedRun> = {}): LoadtestResult => {
    const result = distributedWith({ runners: 3 })
    const runners = result.distributed!.runners.map((pod) => (pod.instance === '2' ? change(pod) : pod))
    return { ...result, distributed: { ...result.distributed!, runners, ...more } }
  }
  const without = (result: LoadtestResult, instance: string): LoadtestResult => ({
    ...result,
    runners: result.runners.filter((runner) => runner.instance !== instance),
  })

  test('is met when every runner ended well', () => {
    expect(judge(pods((pod) => pod))).toMatchObject({ outcome: 'met', reasons: [] })
    expect(judge(pods((pod) => ({ ...pod, exitCode: 99 })))).toMatchObject({ outcome: 'met', reasons: [] })
  })

  test('operator-error: a script that does not load', () => {
    const result = pods((pod) => pod, { stage: 'error', failure: 'PROFILE is "big"' })
    expect(said('operator-error', { ...result, runners: [] })).toEqual([
      'k6-operator could not start the test run: PROFILE is "big"',
    ])
  })

  test('hung-test-run: runners that were never told to begin', () => {
    const { exitCode: _, ...running } = { instance: '2', state: 'running' as const, exitCode: 0 }
    const result = pods(() => running, { stage: 'started', hung: { afterSeconds: 88.2, allowedSeconds: 87 } })
    expect(said('hung-test-run', result)).toEqual([
      'the test run was still "started" after 88 s; 87 s are allowed; not over: 1 runner (2)',
    ])
    const because = 'its starter did not start (ErrImagePull)'
    const untold = pods(() => running, { stage: 'started', hung: { afterSeconds: 88.2, allowedSeconds: 87, because } })
    expect(said('hung-test-run', untold)).toEqual([
      'the test run was still "started" after 88 s; 87 s are allowed: its starter did not start (ErrImagePull)',
    ])
  })

  test('runner-never-ran: a pod that no node takes, one that does not start, and one that is not there', () => {
    const state = (state: RunnerPod['state'], reason?: string) =>
      without(
        pods(() => ({ instance: '2', state, ...(reason === undefined ? {} : { reason }) }), { stage: 'created' }),
        '2',
      )
    expect(said('runner-never-ran', state('unscheduled', '0/1 nodes are available: 1 Insufficient cpu.'))).toEqual([
      'runner 2 was not scheduled: no node takes it (0/1 nodes are available: 1 Insufficient cpu.)',
    ])
    expect(said('runner-never-ran', state('waiting', 'ImagePullBackOff'))).toEqual([
      'runner 2 did not start (ImagePullBackOff)',
    ])
    expect(said('runner-never-ran', state('absent'))).toEqual(['runner 2 has no pod'])
    const refused = (i: number) => `pods "calls-${i}-x7" is forbidden: exceeded quota: small`
    const many = distributedWith({ runners: 40 })
    const runners = many.distributed!.runners.map((pod, i) => ({
      ...pod,
      state: 'absent' as const,
      reason: refused(i + 1),
    }))
    expect(said('runner-never-ran', { ...many, distributed: { ...many.distributed!, runners } })).toEqual([
      `runner 1 has no pod (${refused(1)}), and so 39 other runners`,
    ])
    expect(said('missing-runner', state('absent'))).toEqual(['3 runners shared the load and 2 left a result: 1 and 3'])
  })

  test('oom-killed: a runner without memory, with its limit', () => {
    const killed = pods((pod) => ({ ...pod, exitCode: 137, oomKilled: true, memoryLimitBytes: 64 * 2 ** 20 }))
    expect(said('oom-killed', without(killed, '2'))).toEqual([
      'runner 2 was killed for want of memory (OOMKilled); its limit: 64 MB',
    ])
  })

  test('runner-error: an error behind what the operator calls finished, with what k6 said', () => {
    const failed = pods((pod) => ({ ...pod, exitCode: 107, lastWords: 'TypeError: x is undefined' }))
    expect(said('runner-error', failed)).toEqual([
      'runner 2 exited with 107: the script threw an exception (TypeError: x is undefined), ' +
        'though k6-operator calls the test run finished',
    ])
  })

  const withPods = (throttled: Series, slowness = 1, cpuCores: Series = 1, profile: ProfileName = 'quick') => {
    const result = distributedWith({ runners: 3, slowness, profile })
    const { nodes, pods } = result.server!.kubernetes!
    const kubernetes = {
      nodes: nodes.map((node) => ({ ...node, cpuCores })),
      pods: pods.map((pod) => (pod.pod === 'calls-2-x' || pod.kind === 'api' ? { ...pod, throttled } : pod)),
    }
    return { ...result, server: { ...result.server!, kubernetes } }
  }

  test('throttled-cpu: a runner that was stopped for its CPU limit; a part of the platform is only told', () => {
    expect(said('throttled-cpu', withPods(0.31))).toEqual([
      'generator: the CPU of calls-2-x was throttled in 31 % of the time; its limit is 0.50 cores',
    ])
    expect(said('throttled-cpu', withPods(0.31), 'remark')).toEqual([
      'the CPU of api-5d was throttled in 31 % of the time; its limit is 0.50 cores',
    ])
    expect(said('throttled-cpu', withPods(0.02))).toEqual([])
  })

  test('throttled-cpu: of a runner of which no kubelet told it is not known; too short is said only where it is true', () => {
    const unknown = 'it is not known whether the CPU of runner 2 was throttled'
    expect(said('throttled-cpu', withPods([]))).toEqual([`${unknown}: no kubelet told of it during the run`])
    expect(said('throttled-cpu', withPods([], 1, 1, 'smoke'), 'remark')).toEqual([
      `${unknown}: the run was too short for its kubelet to look twice`,
    ])
    const { server, ...rest } = distributedWith({ runners: 1 })
    const { kubernetes: _, ...others } = server!
    const forbidden = { ...others, omitted: ['Kubernetes was not sampled: forbidden (403)'] }
    expect(said('throttled-cpu', { ...rest, server: forbidden })).toEqual([
      'it is not known whether the CPU of runner 1 was throttled: Kubernetes was not sampled: forbidden (403)',
    ])
  })

  test('node-cpu: a miss on a node without CPU that a runner was on', () => {
    expect(said('node-cpu', withPods(0, 9, 1.96))).toEqual([
      'generator: node node-1 was 98 % busy during the peak, and its runners used 1.20 of 2 cores, ' +
        'so that a miss (p95 latency and p99 latency) may be its own',
    ])
    expect(said('node-cpu', withPods(0, 1, 1.96), 'remark')).toHaveLength(1)
    expect(said('node-cpu', withPods(0, 9, 1.2))).toEqual([])
    expect(said('node-cpu', withPods(0, 9, []))).toEqual([
      'it is not known whether node node-1 had CPU left during the peak, ' +
        "so that a miss (p95 latency and p99 latency) may be the generator's own",
    ])
    expect(said('node-cpu', withPods(0, 1, []))).toEqual([])
  })

  test('collected-late: what was sampled only of a part of the run, or after it, proves nothing', () => {
    const sampledFrom = (seconds: number): LoadtestResult => {
      const { server, ...rest } = distributedWith()
      return { ...rest, server: { ...server!, startedAt: at(seconds) } }
    }
    expect(said('collected-late', sampledFrom(-3))).toEqual([])
    expect(said('collected-late', sampledFrom(12))).toEqual([
      'collected too late to know: the servers and the runners were sampled from 12.0 s after the load began. ' +
        'Apply the TestRun again and collect it at once',
    ])
    expect(said('collected-late', sampledFrom(300))[0]).toContain('were sampled after the run had ended')
    const { server: _, ...nothing } = distributedWith()
    expect(said('collected-late', nothing)[0]).toContain('nothing was sampled')
    // What follows from it is not told again.
    expect(judge(sampledFrom(300)).reasons.filter(({ effect }) => effect === 'invalid')).toHaveLength(1)
  })

  test('changed-test-run: a TestRun that says something else than its runners ran with', () => {
    const changed = pods((pod) => pod, { changed: ['API_URL is http://b now, and was http://a'] })
    expect(said('changed-test-run', changed)).toEqual([
      'the TestRun was changed since its runners were made: API_URL is http://b now, and was http://a',
    ])
  })
})

test('requests-add-up: requests that nobody knows the end of, and more than k6 sent', () => {
  expect(said('requests-add-up', resultWith({ runner: withCounters({ updates_ok_peak: 30_290 }) }))).toEqual([
    '10 requests sent and neither answered nor failed',
  ])
  expect(said('requests-add-up', resultWith({ runner: withCounters({ updates_ok_peak: 30_310 }) }))).toEqual([
    '30,310 requests of the peak ended (30,310 well, 0 not), and 30,300 were sent',
  ])
  expect(said('requests-add-up', resultWith({ runner: withCounters({ k6_http_reqs: 30_000 }) }))).toEqual([
    'the scenario counted 34,088 requests and k6 itself 30,000',
  ])
})

test('buckets-add-up: fewer or more latencies than were timed', () => {
  const failed = withCounters({ updates_failed_peak: 5, updates_sent_peak: 30_305 })
  expect(said('buckets-add-up', resultWith({ runner: failed }))).toEqual([
    '30,305 requests of the peak were counted, and 30,300 latencies recorded',
  ])
  expect(said('buckets-add-up', live({ runner: withCounters({ messages_delivered: 6_000_000 }) }))).toEqual([
    '6,000,000 messages delivered were counted, and 6,060,000 latencies recorded',
  ])
})

test('series-add-up: windows that hold more than the end counted', () => {
  const point = { at: at(10), windowSeconds: 1, counters: { updates_sent_peak: 31_000 }, histograms: {} }
  expect(said('series-add-up', { ...resultWith(), series: [point] })).toEqual([
    'the windows of the run add up to 31,000 updates_sent_peak, and its end counted 30,300',
  ])
})

describe('percentile-grid', () => {
  const withTrend = (change: (percentile: readonly [number, number]) => readonly [number, number]) =>
    resultWith({
      runner: (runner) => {
        const trend = runner.trends.update_latency_peak!
        return {
          ...runner,
          trends: { update_latency_peak: { ...trend, percentiles: trend.percentiles.map(change) } },
        }
      },
    })

  test('a percentile of k6 that the buckets do not have', () => {
    const [text] = said(
      'percentile-grid',
      withTrend(([p, ms]) => [p, p === 95 ? ms * 1.03 : ms]),
    )
    expect(text).toMatch(/^1 percentile of update_latency_peak differs from k6's own by more than 1 %, most p95: /)
  })

  test('but not a rounding', () => {
    expect(
      said(
        'percentile-grid',
        withTrend(([p, ms]) => [p, ms + 0.0004]),
      ),
    ).toEqual([])
  })

  test('another number of samples', () => {
    const result = resultWith({
      runner: (runner) => ({
        ...runner,
        trends: { update_latency_peak: { ...runner.trends.update_latency_peak!, count: 30_299 } },
      }),
    })
    expect(said('percentile-grid', result)).toEqual([
      'k6 has 30,299 samples of update_latency_peak, and the buckets hold 30,300',
    ])
  })
})

describe('live delivery', () => {
  test('subscribers-lost: those that never came, and those that came back to a gap', () => {
    const missing = withCounters({ subscribers_connected: 197, subscribers_failed: 3 })
    expect(said('subscribers-lost', live({ runner: missing }))).toEqual(['3 of 200 subscribers never connected'])
    const gap = withCounters({ subscribers_reconnected: 4, subscribers_unrecovered: 1 })
    expect(said('subscribers-lost', live({ runner: gap }))).toEqual([
      '4 connections broke, and 1 could not resume where they were',
    ])
    const back = live({ runner: withCounters({ subscribers_reconnected: 4 }) })
    expect(said('subscribers-lost', back, 'remark')).toEqual([
      '4 connections broke; each resumed with exactly what it had missed',
    ])
    expect(judge(back).outcome).toBe('met')
  })

  test('deliveries-add-up: a delivery that is neither made nor lost', () => {
    const holes = withCounters({ messages_due: 6_060_100 })
    expect(said('deliveries-add-up', live({ runner: holes }))).toEqual([
      '6,060,100 deliveries were due, and 6,060,000 made and 0 lost are 6,060,000',
    ])
    expect(said('deliveries-add-up', live({ runner: withCounters({ messages_mismatched: 2 }) }))).toEqual([
      'subscribers count 2 messages otherwise by event id than by offset',
    ])
    expect(said('deliveries-add-up', live({ runner: withCounters({ frames_malformed: 1 }) }))).toEqual([
      '1 frame did not hold what its head promised',
    ])
    const unsure = live({ runner: withCounters({ publish_failed_peak: 2 }) })
    expect(said('deliveries-add-up', unsure)).toEqual([])
    expect(said('deliveries-add-up', unsure, 'remark')).toEqual([
      '2 messages may have been published or not: what was due is not exact',
    ])
  })

  test('lost messages are accounted for, and lower the delivery rate', () => {
    const lossy = (runner: RunnerResult) => ({
      ...withCounters({ messages_delivered: 5_454_000, messages_lost: 606_000 })(runner),
      histograms: {
        ...runner.histograms,
        delivery_latency_peak: lessOf(runner.histograms.delivery_latency_peak!, 606_000),
      },
    })
    const verdict = judge(live({ runner: lossy }))
    expect(verdict.metrics.find(({ name }) => name === 'delivery')?.measured).toBe(90)
    expect(verdict.reasons.map(({ rule }) => rule)).not.toContain('deliveries-add-up')
  })

  test('duplicates: a message that came twice', () => {
    expect(said('duplicates', live({ runner: withCounters({ messages_duplicated: 12 }) }))).toEqual([
      '12 messages arrived twice; 6,060,000 were delivered once',
    ])
  })

  test('reorderings: a message that came after a later one', () => {
    expect(said('reorderings', live({ runner: withCounters({ messages_reordered: 7 }) }))).toEqual([
      '7 of 6,060,000 messages arrived after one with a higher offset',
    ])
  })
})

describe('api-counters', () => {
  test('an API that counted other requests than k6 sent', () => {
    const counted = (apiCounted: number) => resultWith({ server: serverWith({ apiCounted }) })
    expect(said('api-counters', counted(30_000))).toEqual(['k6 counted 34,088 updates, and the API 30,000'])
    expect(said('api-counters', counted(34_089))).toEqual([])
  })

  test('an API of which not every instance answered', () => {
    const { server, ...result } = resultWith({ server: serverWith({ apiCounted: 34_088 }) })
    expect(said('api-counters', { ...result, server: { ...server!, apiInstances: 2 } })).toEqual([
      '1 of 2 API instances answered when its metrics were asked for: it is not known what the API counted',
    ])
  })

  test('nothing is compared when the servers were sampled only after the load had begun', () => {
    const server = { ...serverWith({ apiCounted: 30_000 }), startedAt: at(1.2) }
    expect(said('api-counters', resultWith({ server }))).toEqual([])
    expect(said('collected-late', resultWith({ server }))).toEqual([
      'collected too late to know: the servers and the runners were sampled from 1.2 s after the load began. Run it again',
    ])
  })

  test('the same for reports and for deliveries', () => {
    const reports = serverWith({ scenario: 'reporting-endpoints', apiCounted: 9_000 })
    expect(said('api-counters', resultWith({ scenario: 'reporting-endpoints', server: reports }))).toEqual([
      'k6 counted 6,818 reports, and the API 9,000',
    ])
    const server = serverWith({ scenario: 'redis-pubsub', apiCounted: 5_000_000 })
    expect(said('api-counters', live({ server }))).toEqual(['k6 counted 6,060,000 deliveries, and the API 5,000,000'])
  })

  test("deliveries of the publishers' farewells are none of the messages, which tells at small rates", () => {
    const at = (apiCounted: number) =>
      said('api-counters', live({ stepPerSecond: 60, server: serverWith({ scenario: 'redis-pubsub', apiCounted }) }))
    const [delivered, farewells] = [140_400, 2_000]
    expect(at(delivered + farewells)).toEqual([])
    expect(at(delivered + farewells + 1_000)).toEqual(['k6 counted 140,400 deliveries, and the API 143,400'])
    expect(at(delivered - 1_000)).toEqual(['k6 counted 140,400 deliveries, and the API 139,400'])
  })

  test('rows in Postgres that are fewer than the events it acknowledged', () => {
    const server = serverWith({ apiCounted: 34_089 })
    const rows = (events: number) =>
      resultWith({ server: { ...server, postgres: { ...server.postgres!, rowsOfRun: { events, calls: 8_522 } } } })
    expect(said('database-rows', rows(34_000))).toEqual([
      'the API acknowledged 34,088 events, and Postgres holds 34,000 of this run',
    ])
    expect(said('database-rows', rows(34_088))).toEqual([])
  })
})

test('unsampled: a result of a measurement without what was sampled of its servers', () => {
  expect(said('unsampled', resultWith({ server: 'none' }))).toEqual([
    'what was sampled of the servers is missing, or in a format that this version does not know',
  ])
  const { environment: _, series: __, ...ofK6 } = resultWith({ server: 'none' })
  const runners = ofK6.runners.map(({ exitCode: _, ...runner }) => runner)
  expect(judge({ ...ofK6, runners }).outcome).toBe('met')
})

test('smoke-profile: a smoke run is judged, and says that it proves nothing', () => {
  const result = resultWith({ profile: 'smoke' })
  expect(said('smoke-profile', result, 'remark')).toEqual(['profile smoke proves nothing about the targets'])
  expect(judge(result).metrics.find(({ name }) => name === 'rate')?.target).toBe(100)
  expect(judge(result).outcome).toBe('met')
})

test('drift: a soak says that its latencies rise, and the same run as another profile does not', () => {
  const whole = resultWith({ profile: 'full' })
  const peak = whole.runners[0]!.settings.phases.find(({ name }) => name === 'peak')!
  const start = Date.parse(whole.runners[0]!.startedAt)
  const slower = (i: number): HistogramData => histogramOfValues(Array.from({ length: 100 }, () => 20 + i / 4))
  const series = Array.from({ length: 100 }, (_, i): SeriesPoint => {
    const at = start + 1000 * (peak.fromSeconds + ((i + 1) * (peak.toSeconds - peak.fromSeconds)) / 101)
    return {
      at: new Date(at).toISOString(),
      windowSeconds: 60,
      counters: {},
      histograms: { update_latency_peak: slower(i) },
    }
  })
  const drifts = (profile: ProfileName) => said('drift', { ...whole, profile, series }, 'remark')
  expect(drifts('soak')).toEqual([
    expect.stringMatching(
      /^drift: p95 of updates rises, from 2\d ms in the first quarter of the peak to 4\d ms in the last$/,
    ),
  ])
  expect(drifts('full')).toEqual([])
})

test('rules about timing are rules', () => {
  const names = new Set(RULES.map(({ name }) => name))
  expect([...RULES_ABOUT_TIMING].filter((name) => !names.has(name))).toEqual([])
})

afterAll(() => {
  expect(RULES.map(({ name }) => name).filter((name) => !seen.has(name))).toEqual([])
})
