/** Scripts that know nothing of bench, run by it against a small service in real k6 processes. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { program } from '@hopwhistle/platform/test-support/program.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { judgeOwn } from '../../bench/own/judge-own.ts'
import { OWN_FORMAT, type OwnResult } from '../../bench/own/own-result.ts'
import { planOf, wrapperOf } from '../../bench/own/plan-run.ts'
import { parseTargets } from '../../bench/own/targets-file.ts'
import { histogramCount, mergeHistograms, nearestRank } from '../../scenarios/lib/histogram.ts'
import type { OwnRunner } from '../../scenarios/own/plan.ts'
import { k6Path, withK6 } from '../scenarios/k6.ts'
import { type Service, startService } from './service.ts'

const script = (name: string) => fileURLToPath(new URL(`scripts/${name}`, import.meta.url))
const main = new URL('../../bench/main.ts', import.meta.url)

describe.skipIf(k6Path === undefined)(`a script of one's own${withK6}`, { timeout: 300_000 }, () => {
  let service: Service
  let dir: string
  const bench = program(main, { HOPWHISTLE_MEASURING_DIR: join(tmpdir(), 'hopwhistle-own-script-test') })

  beforeAll(async () => {
    service = await startService()
    dir = await mkdtemp(join(tmpdir(), 'hopwhistle-own-'))
  })
  afterAll(async () => {
    bench.remove()
    await service?.close()
    await rm(dir, { recursive: true, force: true })
  })

  const run = (name: string, ...more: string[]) =>
    bench.run('run', script(name), '--env', `BASE_URL=${service.url}`, '--results-dir', dir, '--wait', ...more)
  const targets = async (text: string): Promise<readonly string[]> => {
    const path = join(dir, 'some.targets.yaml')
    await writeFile(path, text)
    return ['--targets', path]
  }
  const resultOf = async (name: string) => JSON.parse(await readFile(join(dir, `${name}.json`), 'utf8')) as OwnResult

  test('is judged by its own thresholds when there is nothing else, over every request of it', async () => {
    const before = service.requests()
    const { code, stdout, stderr } = await run('plain.js')
    expect(stdout, stderr).toContain('plain: met')
    expect(code).toBe(0)
    const { runners, verdict } = await resultOf('plain')
    // Each request of every kind is in the buckets: those of a batch and those of a failure as well.
    const counted = histogramCount(mergeHistograms([runners[0]!.histograms.http_req_duration!]))
    expect(counted).toBe(service.requests() - before)
    expect(runners[0]?.metrics.orders?.values.count).toBeGreaterThanOrEqual(99)
    expect(runners[0]?.checks).toEqual([{ name: 'is 200', passes: expect.any(Number), fails: 0 }])
    expect(verdict?.figures).toHaveLength(2)
    expect(verdict?.figures.every(({ from, status }) => from === 'script' && status === 'met')).toBe(true)
    expect(await readFile(join(dir, 'report.html'), 'utf8')).toContain('plain')
    const [line = ''] =
      (await bench.run('history', '--folder', join(dir, 'history'))).stdout.match(/plain.*comparable run/) ?? []
    expect(line).toContain('1 comparable run')
  })

  test('misses a target of one endpoint, and says which and by how much', async () => {
    const { code, stdout } = await run(
      'plain.js',
      ...(await targets('targets:\n  http_req_duration{name:slow}: p(95)<20\n  orders: count>=50\n')),
    )
    expect(stdout).toMatch(/http_req_duration\{name:slow\} p\(95\) +\d+ ms +✗ <20/)
    expect(stdout).toMatch(/orders count +\d+ +✓ ≥50/)
    expect(code).toBe(1)
  })

  test('proves nothing where a target has no samples, or there is no target', async () => {
    const { code, stdout } = await run(
      'plain.js',
      ...(await targets('targets:\n  http_req_duration{name:slwo}: p(95)<20\n')),
    )
    expect(stdout).toContain('nothing was measured of http_req_duration{name:slwo}: no sample has these tags')
    expect(stdout).not.toContain('no target is about that')
    expect(code).toBe(2)
    const without = await run('redirected.ts')
    expect(without.stdout).toContain('there is nothing to judge by')
    expect(without.code).toBe(2)
  })

  test('is judged in the part of the run that the targets name', async () => {
    const slowAtFirst = async (text: string) => {
      const other = await startService(400)
      const args = ['--env', `BASE_URL=${other.url}`, '--results-dir', dir, '--wait', ...(await targets(text))]
      return bench.run('run', script('ramp.ts'), ...args).finally(other.close)
    }
    const whole = await slowAtFirst('targets: { http_req_duration: p(80)<300 }\n')
    expect(whole.stdout).toMatch(/http_req_duration p\(80\) .*✗/)
    const part = await slowAtFirst(
      'targets: { half_duration: "p(50)<200", http_reqs: rate>=10, http_req_duration: p(80)<300 }\njudged: { fromSeconds: 3, toSeconds: 6 }\n',
    )
    expect(part.stdout).toContain('ramp: met')
    const { runners } = await resultOf('ramp')
    const { 'http_reqs{judged:yes}': judged, http_reqs: all } = runners[0]!.metrics
    expect(judged!.values.count).toBeLessThan(0.7 * all!.values.count!)
    for (const metric of ['half_duration', 'http_req_duration']) {
      expect(histogramCount(runners[0]!.histograms[metric]!)).toBe(judged!.values.count)
    }
  })

  test('has merged percentiles of several runners, as sorting all samples would give them', async () => {
    const [fast, slow] = [await startService(5), await startService(80)]
    const [one, other] = await Promise.all([runner('plain.js', fast, 1), runner('plain.js', slow, 2)])
    await Promise.all([fast.close(), slow.close()])
    const { targets } = parseTargets(
      'targets:\n  http_req_duration: [p(30)<1000, p(60)<1000, p(90)<1000]\n  http_req_failed: rate<0.5\n',
      '',
    )
    const { figures, reasons } = judgeOwn(resultWith([one, other], targets))
    expect(reasons.filter(({ rule }) => rule === 'not-merged' || rule === 'no-samples' || rule === 'buckets')).toEqual(
      [],
    )
    const all = [...one.samples, ...other.samples].sort((a, b) => a - b)
    for (const { aggregate, measured } of figures.filter(({ metric }) => metric === 'http_req_duration')) {
      const exact = all[nearestRank(Number(aggregate.slice(2, -1)), all.length) - 1]!
      expect(Math.abs(measured! - exact) / exact).toBeLessThan(0.0101)
    }
  })

  test('without buckets, says what of several runners cannot be known and decides what can', async () => {
    const [fast, slow] = [await startService(5), await startService(400)]
    const [one, other] = await Promise.all([runner('redirected.ts', fast, 1), runner('redirected.ts', slow, 2)])
    await Promise.all([fast.close(), slow.close()])
    const judged = (text: string) => judgeOwn(resultWith([one, other], parseTargets(text, '').targets))
    const between = judged('targets: { http_req_duration: p(90)<200 }\n')
    expect(between.outcome).toBe('invalid')
    expect(between.reasons[0]?.text).toMatch(/lies between .*percentiles of runners cannot be merged/)
    // All are below it, so all together are.
    expect(judged('targets: { http_req_duration: p(90)<5000 }\n').outcome).toBe('met')
    expect(judged('targets: { http_req_duration: p(90)<1 }\n').outcome).toBe('missed')
    // Counts add up.
    expect(judged('targets: { http_reqs: count==160 }\n').outcome).toBe('met')
  })

  test('is refused with what to do where the command line cannot be followed', async () => {
    const refused = async (...args: string[]) => (await bench.run('run', ...args)).stderr
    expect(await refused(join(dir, 'none.js'))).toContain('none.js does not exist')
    expect(await refused(script('plain.js'), 'redis-pubsub')).toContain('a script of your own runs alone')
    expect(await refused(script('plain.js'), '--profile', 'full')).toContain('--profile is of our scenarios')
    expect(await refused(script('plain.js'), '--env', 'S3CRET')).toContain('--env may be as NAME=VALUE')
    expect(await refused('redis-pubsub', '--targets', 'some.yaml')).toContain('name one, as ./checkout.ts')
    const { code, stderr } = await run('plain.js', '--targets', join(dir, 'none.yaml'))
    expect(stderr).toContain('the targets cannot be read')
    expect(code).toBe(2)
    // k6 itself knows which metrics there are.
    const unknown = await run('plain.js', ...(await targets('targets: { http_reqz: count>1 }\n')))
    expect(unknown.stderr).toMatch(/k6 ended plain with 104[\s\S]*http_reqz/)
    expect(unknown.code).toBe(2)
  })

  type Sampled = OwnRunner & { readonly samples: readonly number[] }

  /** One of several k6 processes, with each of its samples. */
  async function runner(name: string, { url }: Service, instance: number): Promise<Sampled> {
    const folder = await mkdtemp(join(dir, 'runner-'))
    const resultFile = join(folder, 'result.json')
    const plan = planOf(
      { targets: parseTargets('targets: { http_req_duration: [p(30)<1, p(60)<1, p(90)<1] }', '').targets },
      { runId: 'several', instance: String(instance), resultFile },
    )
    const instrument = fileURLToPath(new URL('../../scenarios/own/instrument.ts', import.meta.url))
    await writeFile(join(folder, 'run.js'), wrapperOf(plan, { instrument, script: script(name) }))
    const args = [
      'run',
      '--quiet',
      '--no-usage-report',
      '--address',
      '',
      '--out',
      `json=${folder}/samples.json`,
      join(folder, 'run.js'),
    ]
    await new Promise((resolve) => execFile(k6Path ?? 'k6', args, { env: { ...process.env, BASE_URL: url } }, resolve))
    const samples = (await readFile(join(folder, 'samples.json'), 'utf8'))
      .split('\n')
      .filter((line) => line.includes('"http_req_duration"') && line.includes('"Point"'))
      .map((line) => (JSON.parse(line) as { data: { value: number } }).data.value)
    return { ...(JSON.parse(await readFile(resultFile, 'utf8')) as OwnRunner), samples }
  }
})

function resultWith(runners: readonly OwnRunner[], targets: OwnResult['targets']): OwnResult {
  return {
    format: OWN_FORMAT,
    name: 'several',
    script: 'several.js',
    runId: 'several',
    startedAt: runners[0]!.startedAt,
    load: 'same',
    expectedRunners: runners.length,
    targets,
    // Thresholds of the script are not what these tests are about.
    runners: runners.map((runner) => ({ ...runner, thresholds: [] })),
    series: [],
    servers: [],
    environment: {} as OwnResult['environment'],
  }
}
