/** Whatever is taken from a result, its verdict is never better for it. */
import { describe, expect, test } from 'vitest'
import type { LoadtestResult } from '../../bench/evidence/loadtest-result.ts'
import { evidenceIn, lacksEvidence } from '../../bench/evidence/more-evidence.ts'
import { judge } from '../../bench/judge/judge.ts'
import { RULES } from '../../bench/judge/rules/rules.ts'
import type { KubernetesEvidence, ServerEvidence } from '../../bench/sample/server-evidence.ts'
import type { DistributedRun, RunnerPod, RunnerResult } from '../../results-format.ts'
import { histogramOfValues } from '../../scenarios/lib/histogram.ts'
import { distributedWith } from '../fixtures/distributed-with.ts'
import { resultWith, STARTED_AT, withCounters } from '../fixtures/result-with.ts'
import { processWith, serverWith } from '../fixtures/server-with.ts'

type Change = (result: LoadtestResult) => LoadtestResult

const inServer =
  (change: (server: ServerEvidence) => ServerEvidence): Change =>
  (result) =>
    result.server === undefined ? result : { ...result, server: change(result.server) }
const inKubernetes = (change: (kubernetes: KubernetesEvidence) => KubernetesEvidence): Change =>
  inServer((server) =>
    server.kubernetes === undefined ? server : { ...server, kubernetes: change(server.kubernetes) },
  )
const inRun =
  (change: (run: DistributedRun) => DistributedRun): Change =>
  (result) =>
    result.distributed === undefined ? result : { ...result, distributed: change(result.distributed) }
const inRunners =
  (change: (runner: RunnerResult, i: number) => RunnerResult): Change =>
  (result) => ({ ...result, runners: result.runners.map(change) })
function without<T extends object>(object: T, key: keyof T): T {
  const { [key]: _, ...rest } = object
  return rest as T
}
const withoutHistogram = (pattern: RegExp) =>
  inRunners((runner) => ({
    ...runner,
    histograms: Object.fromEntries(Object.entries(runner.histograms).filter(([name]) => !pattern.test(name))),
  }))
const at = (seconds: number) => new Date(STARTED_AT + 1000 * seconds).toISOString()

/** Each kind of evidence that a collection may come too late for, may not read, or find gone. */
const REMOVALS: Readonly<Record<string, Change>> = {
  'all that was sampled': (result) => without(result, 'server'),
  'what was sampled before the load': inServer((server) => ({ ...server, startedAt: at(20) })),
  'what was sampled during the run': inServer((server) => ({ ...server, startedAt: at(300) })),
  'all of the kubelets': inServer((server) => without(server, 'kubernetes')),
  'the nodes': inKubernetes((kubernetes) => ({ ...kubernetes, nodes: [] })),
  'the CPU of nodes': inKubernetes(({ nodes, pods }) => ({
    pods,
    nodes: nodes.map((node) => ({ ...node, cpuCores: [] })),
  })),
  'the pods': inKubernetes((kubernetes) => ({ ...kubernetes, pods: [] })),
  'the pod of a runner': inKubernetes(({ nodes, pods }) => ({
    nodes,
    pods: pods.filter(({ pod }) => !pod.startsWith('calls-1')),
  })),
  'the throttling of pods': inKubernetes(({ nodes, pods }) => ({
    nodes,
    pods: pods.map((pod) => ({ ...pod, throttled: [] })),
  })),
  'the API': inServer((server) => ({ ...server, api: [] })),
  Postgres: inServer((server) => without(server, 'postgres')),
  'the rows of the run': inServer((server) =>
    server.postgres === undefined ? server : { ...server, postgres: without(server.postgres, 'rowsOfRun') },
  ),
  Redis: inServer((server) => without(server, 'redis')),
  'the machine': inServer((server) => without(server, 'machine')),
  'the processes': inServer((server) => ({ ...server, processes: [] })),
  'other programs': inServer((server) => without(server, 'otherPrograms')),
  'the windows': (result) => without(result, 'series'),
  'where it was made': (result) => without(result, 'environment'),
  'what became of the pods': (result) => without(result, 'distributed'),
  'what became of one pod': inRun((run) => ({ ...run, runners: run.runners.slice(0, -1) })),
  'the exit codes': (result) =>
    inRunners((runner) => without(runner, 'exitCode'))(
      inRun((run) => ({ ...run, runners: run.runners.map((pod) => without(pod, 'exitCode')) }))(result),
    ),
  'whether memory ran out': inRun((run) => ({ ...run, runners: run.runners.map((pod) => without(pod, 'oomKilled')) })),
  'the result of a runner': (result) => ({ ...result, runners: result.runners.slice(0, -1) }),
  'all results': (result) => ({ ...result, runners: [] }),
  "k6's own percentiles": inRunners((runner) => ({ ...runner, trends: {} })),
  'all latencies': withoutHistogram(/./),
  'the latencies of the peak': withoutHistogram(/latency.*_peak/),
  'how late publishers were': withoutHistogram(/schedule_lag/),
  'how long frames waited in k6': withoutHistogram(/receive_lag/),
}

const throttled = inKubernetes(({ nodes, pods }) => ({
  nodes,
  pods: pods.map((pod) => ({ ...pod, throttled: pod.kind === 'k6' ? 0.33 : 0 })),
}))
const busyNode = inKubernetes(({ nodes, pods }) => ({
  pods,
  nodes: nodes.map((node) => ({ ...node, cpuCores: 1.96 })),
}))
const firstPod = (change: Partial<RunnerPod>) =>
  inRun((run) => ({ ...run, runners: run.runners.map((pod, i) => (i === 0 ? { ...pod, ...change } : pod)) }))
const apiCounted = (factor: number) =>
  inServer((server) => ({
    ...server,
    api: server.api.map((api) => ({
      ...api,
      totals: Object.fromEntries(Object.entries(api.totals).map(([name, total]) => [name, total * factor])),
    })),
  }))
const noRows = inServer((server) => ({
  ...server,
  postgres: { ...server.postgres!, rowsOfRun: { events: 1, calls: 1 } },
}))
const two = distributedWith({ runners: 2 })
const one = distributedWith()
const live = distributedWith({ scenario: 'redis-pubsub' })
const slow = distributedWith({ runners: 2, slowness: 9 })
const counters = (given: Readonly<Record<string, number>>) => inRunners(withCounters(given))
const second = (change: (runner: RunnerResult) => RunnerResult) =>
  inRunners((runner, i) => (i === 1 ? change(runner) : runner))
const lag = (name: string, ms: number) =>
  inRunners((runner) => ({
    ...runner,
    histograms: { ...runner.histograms, [name]: histogramOfValues(new Array(100).fill(ms)) },
  }))
const trendsOff = inRunners((runner) => ({
  ...runner,
  trends: Object.fromEntries(Object.entries(runner.trends).map(([name, trend]) => [name, { ...trend, count: 1 }])),
}))
const busyMachine = (k6: number, others: number, steal = 0) =>
  resultWith({
    slowness: 9,
    server: serverWith({
      cpuIdle: 0,
      machine: { cpuCores: { user: 1.6 - steal, system: 0.4, iowait: 0, steal, idle: 0 } },
      processes: [processWith('k6', 'k6', k6), processWith('api-1', 'api', 2 - k6 - others - steal)],
    }),
  })

/** For each rule, a run that it finds something wrong with. */
const BROKEN: Readonly<Record<string, LoadtestResult>> = {
  crashed: inRunners((runner) => ({ ...runner, crash: { signal: 'SIGKILL' }, exitCode: 137 }))(resultWith()),
  'operator-error': inRun((run) => ({ ...run, stage: 'error', failure: 'no script' }))({ ...two, runners: [] }),
  'hung-test-run': inRun((run) => ({ ...run, stage: 'started', hung: { afterSeconds: 90, allowedSeconds: 87 } }))(two),
  'runner-never-ran': firstPod({ state: 'absent' })(two),
  'oom-killed': firstPod({ exitCode: 137, oomKilled: true })(two),
  'runner-error': firstPod({ exitCode: 107 })(two),
  'missing-runner': { ...two, runners: two.runners.slice(0, 1) },
  'no-samples': { ...two, runners: [] },
  'collected-late': inServer((server) => ({ ...server, startedAt: at(5) }))(two),
  unsampled: resultWith({ server: 'none' }),
  'changed-test-run': inRun((run) => ({ ...run, changed: ['RATE is 1 now, and was 2'] }))(two),
  'cut-short': inRunners((runner) => ({ ...runner, endedAt: at(30) }))(two),
  'late-start': second((runner) => ({ ...runner, startedAt: at(3) }))(two),
  'different-settings': second((runner) => ({ ...runner, settings: { ...runner.settings, maxVUs: 7 } }))(two),
  'unequal-shares': second(withCounters({ updates_sent_peak: 10_000 }))(two),
  'smaller-load': inRunners((runner) => ({ ...runner, settings: { ...runner.settings, targetPerSecond: 20 } }))(two),
  'dropped-iterations': counters({ k6_dropped_iterations: 5 })(two),
  'offered-rate': counters({ updates_sent_peak: 9_000, updates_ok_peak: 9_000 })(two),
  'schedule-lag': lag('schedule_lag_peak', 80)(live),
  'receive-lag': lag('receive_lag_peak', 150)(distributedWith({ scenario: 'redis-pubsub', slowness: 3 })),
  'generator-cpu': busyMachine(0.9, 0),
  'throttled-cpu': throttled(two),
  'node-cpu': busyNode(slow),
  'other-programs': busyMachine(0.3, 0.7),
  'stolen-cpu': busyMachine(0.3, 0, 0.4),
  'requests-add-up': counters({ updates_ok_peak: 10 })(two),
  'buckets-add-up': counters({ updates_failed_peak: 5 })(two),
  'series-add-up': {
    ...two,
    series: [{ at: at(10), windowSeconds: 1, counters: { updates_sent_peak: 90_000 }, histograms: {} }],
  },
  'percentile-grid': trendsOff(one),
  'subscribers-lost': counters({ subscribers_connected: 190, subscribers_failed: 10 })(live),
  'deliveries-add-up': counters({ messages_due: 1 })(live),
  duplicates: counters({ messages_duplicated: 4 })(live),
  reorderings: counters({ messages_reordered: 4 })(live),
  'api-counters': apiCounted(0.9)(two),
  'database-rows': noRows(two),
}

const RANK = { met: 0, missed: 1, invalid: 2 }

describe('a run that every rule passes', () => {
  test.each([two, one, live, ofThisMachine((result) => result)])('is met', (result) => {
    expect(judge(result)).toMatchObject({ outcome: 'met', reasons: [] })
  })

  test('is known to lack whatever is taken from it that only its time could give', () => {
    for (const what of [
      'all that was sampled',
      'what was sampled before the load',
      'the throttling of pods',
      'the nodes',
    ]) {
      const less = REMOVALS[what]!(two)
      expect(lacksEvidence(less, two), what).toBe(true)
      expect(lacksEvidence(two, less), what).toBe(false)
    }
    expect(evidenceIn(two).size).toBeGreaterThan(10)
  })
})

/** As `make baseline` leaves it. */
function ofThisMachine(change: Change): LoadtestResult {
  const { distributed: _, ...result } = distributedWith()
  const { kubernetes: __, ...server } = result.server!
  const { machine, processes } = serverWith()
  return change({ ...result, server: { ...server, machine: machine!, processes } })
}
const LOCAL: Readonly<Record<string, LoadtestResult>> = {
  'api-counters': ofThisMachine(apiCounted(0.9)),
  'database-rows': ofThisMachine(noRows),
}

describe.each([...Object.entries(BROKEN), ...Object.entries(LOCAL)])('what %s says', (rule, result) => {
  const before = judge(result)

  test('makes the run invalid', () => {
    expect(before.outcome).toBe('invalid')
    expect(before.reasons.filter(({ effect }) => effect === 'invalid').map((reason) => reason.rule)).toContain(rule)
  })

  test('stays so, whatever evidence is taken away', () => {
    const better = Object.entries(REMOVALS).filter(
      ([, take]) => RANK[judge(take(result)).outcome] < RANK[before.outcome],
    )
    expect(better.map(([what]) => what)).toEqual([])
  })
})

test('a run that misses a target does not meet it for want of evidence', () => {
  for (const result of [slow, resultWith({ slowness: 9 })]) {
    const better = Object.entries(REMOVALS).filter(([, take]) => judge(take(result)).outcome === 'met')
    expect(better.map(([what]) => what)).toEqual([])
  }
})

test('every rule that can make a run invalid is tried', () => {
  const untried = RULES.map(({ name }) => name).filter((name) => !(name in BROKEN))
  expect(untried).toEqual(['drift', 'smoke-profile'])
})
