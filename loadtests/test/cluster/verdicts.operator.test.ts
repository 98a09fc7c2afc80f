/** What can go wrong with a distributed run, made to happen by a real k6-operator, and what the verdict says of it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { podsOf } from '../../bench/cluster/runner-pods.ts'
import { listTestRuns } from '../../bench/cluster/test-runs.ts'
import type { Verdict } from '../../bench/judge/verdict.ts'
import { waitUntil } from '../../bench/lib/wait-until.ts'
import { readResultFile } from '../../bench/run/result-files.ts'
import { type Bench, bench } from '../support/bench.ts'
import { applyByHand } from './support/by-hand.ts'
import { noOperator, type TestNamespace, testNamespace, withOperator } from './support/operator.ts'

const MINUTE = 60_000
const KEY = 'a-key-of-somebody'

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
  const result = () => readResultFile(`${job.tempDir}/call-state-updates.json`)
  const reasons = (effect: 'invalid' | 'remark' = 'invalid') =>
    (result().verdict as unknown as Verdict).reasons.filter((reason) => reason.effect === effect)
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
      expect(reasons().map(({ rule }) => rule)).toContain('throttled-cpu')
      expect(reasons().find(({ rule }) => rule === 'throttled-cpu')?.text).toMatch(
        /throttled in \d+ % of the time; its limit is 0.05 cores/,
      )
    },
    3 * MINUTE,
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
      const ended = await job.run('collect', name, ...inPlace(), '--delete')
      expect(ended.code).toBe(2)
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
