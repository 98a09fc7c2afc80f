/** A script that knows nothing of bench, run by it in several real k6 processes, as k6-operator starts them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Program, program } from '@hopwhistle/platform/test-support/program.ts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { goSeconds } from '../../bench/own/archive.ts'
import type { OwnResult } from '../../bench/own/own-result.ts'
import { histogramCount, mergeHistograms } from '../../scenarios/lib/histogram.ts'
import { type LocalOperator, localOperator } from '../cluster/support/local-operator.ts'
import { k6Path, withK6 } from '../scenarios/k6.ts'
import { type Service, startService } from './service.ts'

const script = (name: string) => fileURLToPath(new URL(`scripts/${name}`, import.meta.url))
const main = new URL('../../bench/main.ts', import.meta.url)

test.each([
  ['10m30s', 630],
  ['1h2m3.5s', 3723.5],
  ['250ms', 0.25],
  ['0s', 0],
])('Go calls %s what are %d seconds', (text, seconds) => {
  expect(goSeconds(text)).toBeCloseTo(seconds)
})

describe.skipIf(k6Path === undefined)(`a script of one's own in a cluster${withK6}`, { timeout: 300_000 }, () => {
  let service: Service
  let operator: LocalOperator
  let bench: Program
  beforeEach(async () => {
    service = await startService()
    operator = await localOperator(k6Path!)
    const proxies = { HTTP_PROXY: '', http_proxy: '', HTTPS_PROXY: '', https_proxy: '' }
    bench = program(main, { KUBECONFIG: operator.kubeconfig, K6: k6Path!, SHOP_TOKEN: 's3cret', ...proxies })
  })
  afterEach(async () => {
    bench.remove()
    operator.close()
    await service.close()
  })
  const run = (name: string, ...more: string[]) =>
    bench.run(
      ...['run', script(name), '--cluster', '--env', `BASE_URL=${service.url}`, '--results-dir', bench.tempDir],
      ...more,
    )
  const resultOf = (name: string) => JSON.parse(readFileSync(join(bench.tempDir, `${name}.json`), 'utf8')) as OwnResult

  test('is one result with one verdict, over every request of all runners, and nothing of it stays behind', async () => {
    const { code, stdout, stderr } = await run('plain.js', '--parallelism', '2')
    expect(stdout, stderr).toContain('plain: met, 2 runners')
    expect(code).toBe(0)
    const { runners, expectedRunners, distributed, series } = resultOf('plain')
    expect(expectedRunners).toBe(2)
    expect(runners.map(({ instance, segment, exitCode }) => [instance, segment, exitCode])).toEqual([
      ['1', '0:1/2', 0],
      ['2', '1/2:1', 0],
    ])
    const counted = histogramCount(mergeHistograms(runners.flatMap(({ histograms }) => histograms.http_req_duration!)))
    expect(counted).toBe(service.requests())
    expect(distributed).toMatchObject({ stage: 'finished', namespace: 'load' })
    expect(series.length).toBeGreaterThan(0)
    expect(operator.kept()).toEqual([])
  })

  test('has what it needs from a Secret, and nothing of it stands anywhere else', async () => {
    const { code, stdout, stderr } = await run('plain.js', '--secret-env', 'SHOP_TOKEN', '--keep')
    expect(code, stderr).toBe(0)
    expect(operator.environments.map(({ SHOP_TOKEN }) => SHOP_TOKEN)).toEqual(['s3cret', 's3cret'])
    // The archive and, for a later collection, the result.
    expect(operator.kept().map((name) => name.split(' ')[0])).toEqual(['ConfigMap', 'ConfigMap', 'Secret', 'TestRun'])
    expect(stdout + stderr + JSON.stringify(resultOf('plain'))).not.toContain('s3cret')
  })

  test('of which a runner leaves no result proves nothing', async () => {
    operator.lose(2)
    const { code, stdout, stderr } = await run('plain.js', '--parallelism', '2')
    expect(code, stderr).toBe(2)
    expect(stdout).toContain('1 of 2 runners left no result')
    expect(stdout).toContain('k6 of runner 2 ended with 137')
  })

  test('is written as a manifest, applied by somebody else and collected', async () => {
    const file = join(bench.tempDir, 'plain.yaml')
    const { code, stdout, stderr } = await run('plain.js', '--manifest', file)
    expect(code, stderr).toBe(0)
    expect(operator.kept()).toEqual([])
    const [, name = ''] = /collect (\S+)/.exec(stdout) ?? []
    operator.apply(...parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as object))
    const collected = await bench.run('collect', name, '--results-dir', bench.tempDir, '--delete')
    expect(collected.stdout, collected.stderr).toContain('plain: met, 2 runners')
    expect(collected.code).toBe(0)
    expect(resultOf('plain').runners).toHaveLength(2)
    expect(operator.kept()).toEqual([])
  })

  test('that was invalid stays so when it is collected again, and without what was kept it is too late to know', async () => {
    operator.throttle(0.33)
    const { code, stdout, stderr } = await run('plain.js', '--parallelism', '2', '--keep')
    expect(stdout, stderr).toContain('the CPU of runner 1 was throttled in 33 % of the time')
    expect(code).toBe(2)
    const [name = ''] = operator.kept().flatMap((one) => /^TestRun (\S+)/.exec(one)?.[1] ?? [])
    const collect = (folder: string) => bench.run('collect', name, '--results-dir', join(bench.tempDir, folder))

    const again = await collect('of-somebody-else')
    expect(again.stdout, again.stderr).toContain('the CPU of runner 1 was throttled in 33 % of the time')
    expect(again.code).toBe(2)

    const before = resultOf('plain')
    operator.forget('ConfigMap', /-result-/)
    const late = await collect('.')
    expect(late.stdout, late.stderr).toContain('collected too late to know')
    expect(late.stdout).toContain('plain.json knows more of the same run and stays')
    expect(late.code).toBe(2)
    expect(resultOf('plain')).toEqual(before)
  })

  test('whose TestRun was changed after it ran is invalid, and its targets are those that it ran with', async () => {
    operator.throttle(0)
    const { code, stderr } = await run('plain.js', '--secret-env', 'SHOP_TOKEN', '--keep')
    expect(code, stderr).toBe(0)
    const [name = ''] = operator.kept().flatMap((one) => /^TestRun (\S+)/.exec(one)?.[1] ?? [])
    const collect = () => bench.run('collect', name, '--results-dir', bench.tempDir)
    expect((await collect()).code).toBe(0)
    operator.change(name, (data) => {
      const run = JSON.parse(data['own-run.json'] ?? '') as { targets: unknown[] }
      const target = { metric: 'http_reqs', aggregate: 'count', comparison: '<', value: 1, from: 'targets' }
      return { ...data, 'own-run.json': JSON.stringify({ ...run, targets: [target] }) }
    })
    const changed = await collect()
    expect(changed.stdout, changed.stderr).toContain('the list of targets is not what it was')
    expect(changed.code).toBe(2)
    expect(resultOf('plain').targets).toEqual([])
  })

  test('is refused with what to do where the command line cannot be followed', async () => {
    const refused = async (...args: string[]) => (await bench.run('run', script('plain.js'), ...args)).stderr
    expect(await refused('--cluster', '--document')).toContain('--document is of our scenarios')
    expect(await refused('--secret-env', 'SHOP_TOKEN')).toContain('give --cluster, too')
    expect(await refused('--cluster', '--secret-env', 'NONE')).toContain('this command has no such variable')
    expect(await refused('--cluster', '--parallelism', '53')).toMatch(/has 52 virtual users.*--parallelism 52 or less/)
    expect(await refused('--cluster', '--', '--no-such-option')).toContain('k6 cannot archive plain')
  })
})
