/** What can go wrong with a distributed run, made to happen by a real k6-operator, and what the verdict says of it. */

import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { Exec } from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runnerReaders } from '../../bench/cluster/follow-runners.ts'
import { podsOf, readRunnerPods } from '../../bench/cluster/runner-pods.ts'
import { listTestRuns } from '../../bench/cluster/test-runs.ts'
import { readResultFile } from '../../bench/run/result-files.ts'
import { type Bench, bench } from '../support/bench.ts'
import { applyByHand } from './support/by-hand.ts'
import { noOperator, type TestNamespace, testNamespace, withOperator } from './support/operator.ts'

const MINUTE = 60_000
const KEY = 'a-key-of-somebody'
const SOON = { timeoutMs: MINUTE, everyMs: 500 }
const SHORT = { PEAK_SECONDS: '5', RAMP_SECONDS: '1', RATE: '60' }

describe.skipIf(noOperator !== undefined)(`a distributed run${withOperator}`, () => {
  let place: TestNamespace
  let job: Bench

  beforeAll(async () => {
    place = await testNamespace()
    job = bench({ PEAK_SECONDS: '8', RAMP_SECONDS: '2', RATE: '60', API_KEY: KEY })
  }, 2 * MINUTE)
  afterAll(async () => {
    job?.remove()
    await place?.remove()
  })

  const inPlace = () => ['--namespace', place.namespace, '--results-dir', job.tempDir]
  const run = (...more: string[]) =>
    job.run(
      'run',
      'call-state-updates',
      '--cluster',
      '--profile',
      'smoke',
      ...inPlace(),
      '--api-url',
      place.apiUrl,
      ...more,
    )
  const collect = (name: string) => job.run('collect', name, ...inPlace(), '--delete')
  const runners = (name: string) => readRunnerPods(place.cluster, name, 2)
  const result = () => readResultFile(`${job.tempDir}/call-state-updates.json`)
  const reasons = (effect: 'invalid' | 'remark' = 'invalid') =>
    result().verdict!.reasons.filter((reason) => reason.effect === effect)
  const textOf = (rule: string) => reasons().find((reason) => reason.rule === rule)?.text
  const belongings = async () => {
    const { core, namespace } = place.cluster
    const [maps, secrets] = await Promise.all([
      core.listNamespacedConfigMap({ namespace }),
      core.listNamespacedSecret({ namespace }),
    ])
    const names = [...maps.items, ...secrets.items].map(({ metadata }) => metadata?.name ?? '')
    return names.filter((name) => name.startsWith('call-state-updates-'))
  }
  const left = async () => (await listTestRuns(place.cluster)).map(({ metadata }) => metadata.name)

  test(
    'of two runners is one result, and nothing of it stays behind',
    async () => {
      const ended = await run('--parallelism', '2')
      const { runners, distributed, expectedRunners, series = [] } = result()
      expect(expectedRunners).toBe(2)
      expect(runners.map(({ instance, segment }) => [instance, segment])).toEqual([
        ['1', '0:1/2'],
        ['2', '1/2:1'],
      ])
      // 99: a threshold of its share was missed, which is the verdict's business.
      for (const { exitCode } of runners) expect([0, 99]).toContain(exitCode)
      expect(distributed).toMatchObject({ stage: 'finished', namespace: place.namespace })
      expect(series.length).toBeGreaterThan(2)
      expect(ended.stdout).toContain('call-state-updates')
      expect(await left()).toEqual([])
      await waitUntil('its scripts and its key to be gone', async () => (await belongings()).length === 0, {
        timeoutMs: MINUTE,
        everyMs: 500,
      })
    },
    2 * MINUTE,
  )

  test(
    'whose runners have too little memory is invalid: OOMKilled',
    async () => {
      const ended = await run('--parallelism', '1', '--runner-limits', 'memory=40Mi')
      expect(ended.code).toBe(2)
      expect(reasons()[0]).toMatchObject({
        rule: 'oom-killed',
        text: 'runner 1 was killed for want of memory (OOMKilled); its limit: 40 MB',
      })
    },
    3 * MINUTE,
  )

  test(
    'whose runners no node takes is invalid, in the words of the scheduler',
    async () => {
      const ended = await run(
        '--parallelism',
        '2',
        '--start-within',
        '15',
        '--runner-requests',
        'cpu=90',
        '--runner-limits',
        'cpu=90',
      )
      expect(ended.code).toBe(2)
      const texts = reasons().map(({ text }) => text)
      expect(texts[0]).toMatch(/^the test run was still "created" after 1\d s; 15 s are allowed; not over: 2 runners/)
      expect(texts[1]).toMatch(/^runner 1 was not scheduled: no node takes it \(.*Insufficient cpu/)
    },
    2 * MINUTE,
  )

  test(
    'whose runners have too little CPU is invalid: throttled',
    async () => {
      const env = bench({ PEAK_SECONDS: '25', RAMP_SECONDS: '2', RATE: '100' })
      const ended = await env.run(
        ...['run', 'call-state-updates', '--cluster', '--profile', 'smoke', ...inPlace()],
        ...['--api-url', place.apiUrl, '--parallelism', '1', '--runner-limits', 'cpu=50m'],
      )
      env.remove()
      expect(ended.code).toBe(2)
      expect(textOf('throttled-cpu')).toMatch(/throttled in \d+ % of the time; its limit is 0.05 cores/)
    },
    3 * MINUTE,
  )

  test(
    'whose starter has too little CPU begins on all runners at once all the same',
    async () => {
      const starved = { requests: { cpu: '10m', memory: '16Mi' }, limits: { cpu: '10m', memory: '64Mi' } }
      await applyByHand(place, 'late', {
        parallelism: 4,
        overrides: SHORT,
        change: ({ spec, ...run }) => ({ ...run, spec: { ...spec, starter: { ...spec.starter, resources: starved } } }),
      })
      await collect('late')
      expect(result().runners).toHaveLength(4)
      expect(textOf('late-start')).toBeUndefined()
    },
    3 * MINUTE,
  )

  test(
    'of which a runner is told to end early, as on a node that is drained, is invalid: its share is too small',
    async () => {
      await applyByHand(place, 'unequal', { parallelism: 2, overrides: { ...SHORT, PEAK_SECONDS: '15' } })
      const collecting = collect('unequal')
      const pod = await waitUntil('the second runner', async () => (await runners('unequal'))[1]?.pod, SOON)
      const [read] = runnerReaders(place.cluster, [{ instance: '2', state: 'running', pod }])
      await waitUntil('its peak', async () => ((await read?.())?.counters.updates_sent_peak ?? 0) > 0, SOON)
      const drain = ['sh', '-c', 'kill -TERM 1']
      await new Exec(place.cluster.config).exec(
        place.namespace,
        pod,
        'k6',
        drain,
        process.stdout,
        process.stderr,
        null,
        false,
      )
      expect((await collecting).code).toBe(2)
      expect(textOf('unequal-shares')).toMatch(/^runner \d sent \d+ of \d+ during the peak; an even share is \d+$/)
    },
    3 * MINUTE,
  )

  test(
    'of an API that does not answer in time is invalid: iterations were dropped',
    async () => {
      expect((await run('--parallelism', '1', '--api-url', `${place.apiUrl}/stuck`)).code).toBe(2)
      expect(textOf('dropped-iterations')).toMatch(/^generator: k6 dropped [\d,]+ iterations/)
    },
    2 * MINUTE,
  )

  test(
    'whose script does not load is invalid, with what k6 said',
    async () => {
      const wrong = bench({ RATE: 'fast' })
      const ended = await wrong.run('run', 'call-state-updates', '--cluster', ...inPlace(), '--api-url', place.apiUrl)
      wrong.remove()
      expect(ended.code).toBe(2)
      expect(reasons()[0]?.rule).toBe('operator-error')
      expect(reasons()[0]?.text).toContain('RATE is "fast"; it may be a whole number of requests a second')
    },
    2 * MINUTE,
  )

  test(
    'that has fewer virtual users than runners is invalid, in the words of the operator',
    async () => {
      await applyByHand(place, 'few', { parallelism: 101, overrides: { ...SHORT, PARALLELISM: '1' } })
      expect((await collect('few')).code).toBe(2)
      expect(textOf('operator-error')).toBe(
        'k6-operator could not start the test run: its initializer found nothing wrong with the script, but ' +
          'k6-operator says: Parallelism argument cannot be larger than maximum VUs in the script: ' +
          'number of instances > number of VUs',
      )
    },
    2 * MINUTE,
  )

  test(
    'that the operator calls finished is invalid all the same when its runners failed',
    async () => {
      const nowhere = `http://nowhere.${place.namespace}:3001`
      const ended = await run('--parallelism', '1', '--api-url', nowhere)
      expect(ended.code).toBe(2)
      expect(reasons()[0]?.text).toMatch(
        /^runner 1 exited with 108: the script aborted the test \(.*nowhere.* does not answer.*\), though k6-operator calls the test run finished$/,
      )
    },
    2 * MINUTE,
  )

  test(
    'that loses a runner on the way is invalid: one is missing',
    async () => {
      const ending = run('--parallelism', '2')
      const [name = ''] = await waitUntil('the TestRun', async () => nonEmpty(await left()), {
        timeoutMs: MINUTE,
        everyMs: 500,
      })
      const pod = await waitUntil(
        'the second runner',
        async () =>
          (await podsOf(place.cluster, name, `job-name=${name}-2`)).find(({ status }) => status?.phase === 'Running'),
        { timeoutMs: MINUTE, everyMs: 500 },
      )
      await waitUntil('the load', async () => (await listTestRuns(place.cluster))[0]?.status?.stage === 'started', {
        timeoutMs: MINUTE,
        everyMs: 500,
      })
      expect(JSON.stringify(pod.spec)).not.toContain(KEY)
      await place.cluster.core.deleteNamespacedPod({
        name: pod.metadata?.name ?? '',
        namespace: place.namespace,
        gracePeriodSeconds: 0,
      })
      expect((await ending).code).toBe(2)
      expect(reasons().map(({ text }) => text)).toEqual(
        expect.arrayContaining(['runner 2 has no pod', '2 runners shared the load and 1 left a result: 1']),
      )
    },
    4 * MINUTE,
  )

  test(
    'that nobody tells to begin is invalid: it hangs past its time, and collect says so',
    async () => {
      const name = 'never-started'
      await applyByHand(place, name, {
        starterImage: 'nowhere/starter:1',
        overrides: { PEAK_SECONDS: '1', RAMP_SECONDS: '1' },
      })
      expect((await collect(name)).code).toBe(2)
      expect(reasons()[0]?.text).toMatch(
        /^the test run was still "started" after \d+ s; 77 s are allowed: its starter did not start \((ErrImagePull|ImagePullBackOff): .*nowhere\/starter:1/,
      )
      expect(await left()).toEqual([])
    },
    4 * MINUTE,
  )

  test(
    'that is stopped by Ctrl-C takes its TestRun with it',
    async () => {
      const { child, ended } = job.start(
        'run',
        'call-state-updates',
        '--cluster',
        ...inPlace(),
        '--api-url',
        place.apiUrl,
      )
      await waitUntil(
        'a runner',
        async () => {
          const [name] = await left()
          return name !== undefined && (await podsOf(place.cluster, name, 'runner=true')).length > 0
        },
        { timeoutMs: MINUTE, everyMs: 500 },
      )
      child.kill('SIGINT')
      expect((await ended).code).toBe(2)
      expect(await left()).toEqual([])
    },
    2 * MINUTE,
  )
})

const nonEmpty = <T>(list: readonly T[]): readonly T[] | undefined => (list.length > 0 ? list : undefined)
