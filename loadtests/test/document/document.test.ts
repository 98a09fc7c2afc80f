import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { BASELINE_SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeAll } from '../../bench/commands/report-results.ts'
import type { Places } from '../../bench/document/paths.ts'
import { writeBaseline } from '../../bench/document/write-baseline.ts'
import { writeDocument } from '../../bench/document/write-document.ts'
import type { LoadtestResult } from '../../bench/evidence/loadtest-result.ts'
import { readHistories } from '../../bench/history/history-files.ts'
import { judge } from '../../bench/judge/judge.ts'
import type { Environment } from '../../bench/sample/environment.ts'
import { ENVIRONMENT, type ResultOptions, resultWith, withCounters } from '../fixtures/result-with.ts'
import { serverWith } from '../fixtures/server-with.ts'

const folders: string[] = []
const places = async (): Promise<Places> => {
  const folder = await mkdtemp(join(tmpdir(), 'document-'))
  folders.push(folder)
  return {
    baselines: join(folder, 'baselines'),
    document: join(folder, 'docs', 'performance-baselines.md'),
    history: join(folder, 'baselines', 'history'),
    historyDocument: join(folder, 'docs', 'history.md'),
    precisionDocument: join(folder, 'docs', 'history-precision.md'),
    charts: join(folder, 'docs', 'charts'),
  }
}
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

const judged = (options: ResultOptions): LoadtestResult => {
  const result = resultWith(options)
  return { ...result, verdict: { ...judge(result) } }
}
const all = (options: ResultOptions = {}) =>
  BASELINE_SCENARIOS.map((scenario) => judged({ server: serverWith({ scenario }), ...options, scenario }))
const documentOf = async (at: Places) => {
  await writeDocument(at)
  return readFile(at.document, 'utf8')
}

describe('the document', () => {
  let text = ''
  let at: Places
  beforeAll(async () => {
    at = await places()
    await writeBaseline(all({ profile: 'full' }), at)
    text = await documentOf(at)
  })

  test('has every section', () => {
    const headings = [...text.matchAll(/^(##+ .*)$/gm)].map(([, heading]) => heading)
    for (const heading of [
      '## Overview',
      '## Test environment',
      '## Performance targets',
      '### 1. Call state updates',
      '### 2. Reporting endpoints',
      '### 3. Redis pub/sub throughput',
      '## System resource limits',
      '### Database (PostgreSQL)',
      '### Redis',
      '### API server',
      '## Load test execution',
      '### Prerequisites',
      '### Running the tests',
      '### Collecting results',
      '## Performance monitoring',
      '### Key metrics',
      '### Monitoring tools',
      '## Scaling recommendations',
      '### Horizontal scaling',
      '### What a unit of work costs',
      '### Vertical scaling',
      '### Optimization strategies',
      '## Regression testing',
      '## Troubleshooting',
      '### Common issues',
      '### Debug commands',
      '## Quick start',
      '## Next steps',
    ]) {
      expect(headings).toContain(heading)
    }
    for (const part of ['Baseline results', 'Test configuration', 'Key findings', 'Bottlenecks identified']) {
      expect(headings.filter((heading) => heading === `#### ${part}`)).toHaveLength(3)
    }
  })

  test('leaves nothing to be filled in', () => {
    expect(text).not.toMatch(/\[?TBD\]?|TODO|undefined|NaN|\[object/)
  })

  test('has all fourteen targets with their figures', () => {
    const rows = text.match(/^\| .+ \| +[≥><] [\d,]+ \S+ \| .+ \| ✅ +\|$/gm)
    expect(rows).toHaveLength(14)
    expect(text).toContain('14 of 14 targets are met ✅')
  })

  test('has every limit with its variable, and says why a use is not known', () => {
    for (const { env } of Object.values(LIMITS)) expect(text).toContain(`\`${env}\``)
    for (const [cell] of text.matchAll(/not measured[^|\n]*\|/g)) expect(cell).toMatch(/not measured: \S/)
  })

  test('says what a thousand events cost each server, of all instances together', () => {
    expect(text).toMatch(/^\| 1,000 call events, one in each request +\| 0\.75 \| +0\.20 \| +0\.08 \| +0\.04 \|$/m)
  })

  test('says where, when and of which commit it is', () => {
    expect(text).toContain('Fixture CPU @ 2.5 GHz, 2 cores')
    expect(text).toContain('| full    | 20 November 2026, 10:00 UTC | 6 min 0 s  | `0123456789ab` |')
    expect(text).toContain('PostgreSQL 18.4')
  })

  test('shows a chart of each scenario', async () => {
    expect((await readdir(at.charts)).sort()).toEqual(
      [...BASELINE_SCENARIOS].sort().map((scenario) => `${scenario}.svg`),
    )
    for (const scenario of BASELINE_SCENARIOS) expect(text).toContain(`(charts/${scenario}.svg)`)
  })

  test('is the same, byte by byte, of the same baselines', async () => {
    const again = await places()
    await writeBaseline(all({ profile: 'full' }).toReversed(), again)
    expect(await documentOf(again)).toBe(text)
    for (const scenario of BASELINE_SCENARIOS) {
      const chart = (where: Places) => readFile(join(where.charts, `${scenario}.svg`), 'utf8')
      expect(await chart(again)).toBe(await chart(at))
    }
  })
})

test('a scenario that was measured again keeps the others as they were', async () => {
  const at = await places()
  await writeBaseline(all({ profile: 'full' }), at)
  const newer = { ...ENVIRONMENT, source: { commit: 'fedcba9876543210', dirty: true } }
  await writeBaseline([judged({ profile: 'quick', environment: newer })], at)
  const text = await documentOf(at)
  expect(text).toContain(
    '| Call state updates       | quick   | 20 November 2026, 10:00 UTC | 1 min 15 s | `fedcba987654`, with changes |',
  )
  expect(text).toMatch(/\| Reporting endpoints +\| full +\|.*`0123456789ab` +\|/)
  expect(text).toContain('⏳ Measure with profile `full`: call state updates')
})

test('a scenario that was never measured is said to be so', async () => {
  const at = await places()
  await writeBaseline([judged({})], at)
  const text = await documentOf(at)
  expect(text).toContain('Not measured in this environment')
  expect(text).toContain('⏳ Measure reporting endpoints and redis pub/sub throughput in this environment')
})

test('a miss and an invalid run are marked, with the reason', async () => {
  const at = await places()
  const dropped = judged({ scenario: 'reporting-endpoints', runner: withCounters({ k6_dropped_iterations: 3 }) })
  await writeBaseline([judged({ slowness: 9 }), dropped], at)
  const text = await documentOf(at)
  expect(text).toMatch(/\| p95 latency +\| +< 300 ms \| +\d+ ms \| ❌ +\|/)
  expect(text).toMatch(/\| Request rate +\| +≥ 100 requests\/s \| +101\.0 requests\/s \| ⚠️ invalid \|/)
  expect(text).toContain('- ⚠️ **Invalid:** Generator: k6 dropped 3 iterations')
  expect(text).toContain('2 of 9 targets are met ✅, 2 missed ❌, 5 not proved, because their run is invalid ⚠️.')
  expect(await readFile(join(at.charts, 'reporting-endpoints.svg'), 'utf8')).toContain('invalid, proves nothing')
})

describe('where a target was not reached', () => {
  const carriedBy = (options: ResultOptions): LoadtestResult => {
    const steps = [resultWith({ stepPerSecond: 310 }), resultWith({ stepPerSecond: 375, slowness: 9 })]
    const result = { ...resultWith(options), steps }
    return { ...result, verdict: { ...judge(result) } }
  }

  test('the row has the rate that was carried and what limited it', async () => {
    const at = await places()
    const { path } = await writeBaseline([carriedBy({ slowness: 9 })], at)
    const text = await documentOf(at)
    expect(text).toMatch(
      /^\| Throughput +\| +≥ 500 updates\/s \| +310 updates\/s carried \| ❌ missed: p95 latency is 3\d\d ms; the target is <300 ms +\|$/m,
    )
    expect(text).toContain(
      '**310 updates/s are carried** with every other target met: success rate 100 %, p95 latency 38 ms and p99 latency',
    )
    expect(text).toContain('Short steps at smaller rates found it: 310 held and 375 missed.')
    expect(text).toContain('The other figures in the table are of the full load.')
    expect(JSON.parse(await readFile(path, 'utf8')).scenarios['call-state-updates'].verdict.carried).toMatchObject({
      ratePerSecond: 310,
      limitedAtPerSecond: 375,
    })
  })

  test('figures of a full load that was invalid never stand there as valid ones', async () => {
    const at = await places()
    await writeBaseline([carriedBy({ runner: withCounters({ k6_dropped_iterations: 3 }) })], at)
    const text = await documentOf(at)
    expect(text).toMatch(/^\| Throughput +\| +≥ 500 updates\/s \| +310 updates\/s carried \| ❌ missed: p95/m)
    for (const metric of ['Success rate', 'p95 latency', 'p99 latency']) {
      expect(text).toMatch(new RegExp(`^\\| ${metric} .*\\| ⚠️ invalid +\\|$`, 'm'))
    }
    expect(text).toContain('of the full load, whose evidence is not valid: they prove nothing.')
    expect(text).toContain('- Remark: The figures at 500 updates/s are not valid: generator: k6 dropped 3 iterations')
    expect(text).toContain('0 of 4 targets are met ✅, 1 missed ❌, 3 not proved, because their run is invalid ⚠️.')
    expect(await readFile(join(at.charts, 'call-state-updates.svg'), 'utf8')).toContain('invalid, proves nothing')
  })
})

test('neighbours that were declared stand beside the machine', async () => {
  const at = await places()
  await writeBaseline(all({ environment: { ...ENVIRONMENT, neighbours: ['ffmpeg', 'cron'] } }), at)
  expect(await documentOf(at)).toContain('- **Neighbours:** `ffmpeg` and `cron`, declared to belong to this machine')
})

describe('an invalid run after a valid one', () => {
  const later = { startedAt: '2026-11-22T03:00:00.000Z', endedAt: '2026-11-22T03:07:00.000Z' }
  const newer = (options: ResultOptions = {}): LoadtestResult => {
    const result = resultWith({ scenario: 'reporting-endpoints', profile: 'full', ...options })
    const runners = result.runners.map((runner) => ({ ...runner, ...later }))
    const moved = { ...result, runId: 'newer', runners, server: { ...result.server!, ...later } }
    return { ...moved, verdict: { ...judge(moved) } }
  }
  const dropped = newer({ runner: withCounters({ k6_dropped_iterations: 3 }) })

  test('does not replace it; the document says so and why', async () => {
    const at = await places()
    await writeBaseline(all({ profile: 'full' }), at)
    const printed: string[] = []
    await writeAll([dropped], (text) => printed.push(text), at)
    expect(printed).toEqual([
      expect.stringMatching(/^Wrote .*fixture-2-cores\.json, .*performance-baselines\.md/),
      'Kept the valid baseline of reporting-endpoints, full, of 20 November 2026, 10:00 UTC: an invalid run does not ' +
        'replace it. The document tells of this run and why it is invalid.\n',
    ])
    const [history] = await readHistories(at.history)
    expect(history?.runs).toEqual([expect.objectContaining({ runId: 'newer', outcome: 'invalid', figures: {} })])
    const text = await documentOf(at)
    expect(text).toContain('**14 of 14 targets are met ✅.**')
    expect(text).toContain('⚠️ A newer run of reporting endpoints was invalid: what is shown is the last valid run')
    expect(text).toContain(
      '⚠️ **A newer run was invalid**, proves nothing and is not shown: profile `full`, 22 November 2026, 03:00 UTC, ' +
        'commit `0123456789ab`. The figures above are of the last valid run. Why it was invalid:\n\n' +
        '- Generator: k6 dropped 3 iterations',
    )
    expect(text).toContain('⏳ Run again with valid evidence: reporting endpoints')
    expect(text).toContain('✅ Every target met')
    expect(text).not.toContain('⚠️ invalid')
  })

  test('is forgotten when a valid one comes, also one that misses a target', async () => {
    const at = await places()
    await writeBaseline(all({ profile: 'full' }), at)
    await writeBaseline([dropped], at)
    expect(await writeBaseline([newer({ slowness: 9 })], at)).toMatchObject({ kept: [] })
    const text = await documentOf(at)
    expect(text).not.toContain('newer run')
    expect(text).toContain('2 missed ❌')
  })

  test('is shown where nothing valid was ever kept, and the next one in its place', async () => {
    const at = await places()
    await writeBaseline(
      [judged({ scenario: 'reporting-endpoints', runner: withCounters({ k6_dropped_iterations: 7 }) })],
      at,
    )
    expect(await writeBaseline([dropped], at)).toMatchObject({ kept: [] })
    const text = await documentOf(at)
    expect(text).toContain('- ⚠️ **Invalid:** Generator: k6 dropped 3 iterations')
    expect(text).not.toContain('newer run')
  })

  test('is told of another environment as well', async () => {
    const at = await places()
    await writeBaseline(all({ profile: 'full' }), at)
    await writeBaseline([dropped], at)
    await writeBaseline([newer({ environment: { ...ENVIRONMENT, name: 'a-large-one' } })], at)
    expect(await documentOf(at)).toMatch(/\| 20 November 2026; ⚠️ invalid on 22 November 2026 +\|/)
  })
})

test('what was measured without looking at the servers says so instead of a figure', async () => {
  const at = await places()
  await writeBaseline(
    BASELINE_SCENARIOS.map((scenario) => judged({ scenario, server: 'none' })),
    at,
  )
  const text = await documentOf(at)
  expect(text).toContain('What limits this scenario is not known: the servers were not sampled.')
  expect(text).not.toMatch(/undefined|NaN/)
})

test('settings of the API that were given stand beside it', async () => {
  const at = await places()
  const environment = { ...ENVIRONMENT, stack: { ...ENVIRONMENT.stack, apiSettings: { LIVE_TICK_MS: '30' } } }
  await writeBaseline(all({ environment }), at)
  expect(await documentOf(at)).toContain('3 instances, with `LIVE_TICK_MS=30` and the other settings by default')
})

test('how fast the machine was, its quota, and who had the right of way are told', async () => {
  const at = await places()
  const { machine } = ENVIRONMENT
  const environment: Environment = {
    ...ENVIRONMENT,
    machine: { ...machine, quotaCores: 1, singleThreadScore: { name: 'mix-1', perSecond: 1910 } },
    generatorPriority: { method: 'autogroup', platform: 15, k6: 0 },
  }
  await writeBaseline(all({ environment }), at)
  const text = await documentOf(at)
  expect(text).toContain('2 cores, of which a CPU quota allows 1, ')
  expect(text).toMatch(/^\| Call state updates .* 1,910 +\|$/m)
  expect(text).toContain("k6 has the right of way: nice value of sessions (autogroup) 0, the platform's 15")
  expect(text).toContain('200 WebSockets at `/api/v1/live`, each subscribed to `call.*`, on 4 virtual users')
})

test('a baseline of before the machine had a score is shown as ever, and says that it has none', async () => {
  const at = await places()
  await writeBaseline(all(), at)
  const text = await documentOf(at)
  expect(text).toMatch(/^\| Call state updates .* unknown +\|$/m)
  expect(text).not.toContain('right of way')
})

describe('several environments', () => {
  test('the one measured last is shown in full, the others beside it', async () => {
    const at = await places()
    const later = (result: LoadtestResult): LoadtestResult => ({
      ...result,
      runners: result.runners.map((runner) => ({ ...runner, endedAt: '2026-11-21T10:00:00.000Z' })),
    })
    await writeBaseline([later(judged({ environment: { ...ENVIRONMENT, name: 'a-large-one' } }))], at)
    await writeBaseline(all(), at)
    const text = await documentOf(at)
    expect(text).toContain('in the environment `a-large-one`')
    expect(text).toMatch(/\| `fixture-2-cores` \| Redis pub\/sub throughput \| quick +\| 20 November 2026 \|/)
  })

  test('results of two are not one baseline', async () => {
    const at = await places()
    const other = judged({ environment: { ...ENVIRONMENT, name: 'other' } })
    await expect(writeBaseline([judged({}), other], at)).rejects.toThrow(
      'results of different environments are not one baseline: fixture-2-cores, other',
    )
  })

  test('a name that would leave the folder is refused', async () => {
    const environment = { ...ENVIRONMENT, name: '../elsewhere' }
    await expect(writeBaseline([judged({ environment })], await places())).rejects.toThrow(
      'environment.name is "../elsewhere"',
    )
  })
})

test('without any baseline it says how to get one', async () => {
  await expect(writeDocument(await places())).rejects.toThrow('there is no baseline yet; `make baseline` measures one')
})

test('a baseline is small enough to be read in a diff', async () => {
  const at = await places()
  const { path } = await writeBaseline(all({ profile: 'full' }), at)
  const content = await readFile(path, 'utf8')
  expect(content.length).toBeLessThan(150_000)
  expect(JSON.parse(content).scenarios['redis-pubsub'].chart.points.length).toBeLessThanOrEqual(120)
})
