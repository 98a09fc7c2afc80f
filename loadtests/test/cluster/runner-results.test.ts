import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { collectResults, resultIn } from '../../bench/cluster/runner-results.ts'
import { lastWords } from '../../bench/collect/last-words.ts'
import type { LoadtestResult } from '../../bench/evidence/loadtest-result.ts'
import { judge } from '../../bench/judge/judge.ts'
import type { RunnerPod } from '../../results-format.ts'
import { histogramCount, mergeHistograms } from '../../scenarios/lib/histogram.ts'
import { toLogLines } from '../../scenarios/lib/result-lines.ts'
import { totalsOf } from '../../scenarios/lib/totals.ts'
import { resultWith } from '../fixtures/result-with.ts'

const CROSSED = `time="2026-11-25T03:17:31Z" level=error msg="thresholds on metrics 'update_latency_peak' have been crossed"`
const WARNING = `time="2026-11-25T03:17:30Z" level=warning msg="Request Failed" error="dial: i/o timeout"`

const logOf = (result: LoadtestResult): string =>
  ['', '  call-state-updates   …', WARNING, ...toLogLines(JSON.stringify(result)), CROSSED, ''].join('\n')
const podOf = (instance: string, more: Partial<RunnerPod> = {}): RunnerPod => ({
  ...{ instance, pod: `calls-${instance}`, state: 'ended', exitCode: 0 },
  ...more,
})
const single = (result: LoadtestResult, i: number): LoadtestResult => ({ ...result, runners: [result.runners[i]!] })

test('the results of all runners stand behind each other, each with its pod’s name and exit code', async () => {
  const whole = resultWith({ runners: 3 })
  const logs = new Map(whole.runners.map((_, i) => [`calls-${i + 1}`, logOf(single(whole, i))]))
  const pods = [podOf('1'), podOf('2', { exitCode: 99 }), podOf('3')]
  const { result } = await collectResults(pods, async (pod) => logs.get(pod) ?? '')
  expect(result?.runners.map(({ instance, exitCode }) => [instance, exitCode])).toEqual([
    ['1', 0],
    ['2', 99],
    ['3', 0],
  ])
  expect(totalsOf(result?.runners ?? [])).toEqual(totalsOf(whole.runners))
})

test('a runner whose log cannot be read, or that has no pod, is one that left no result', async () => {
  const whole = resultWith({ runners: 3 })
  const pods = [podOf('1'), podOf('2', { exitCode: 107 }), { instance: '3', state: 'absent' as const }]
  const { result, pods: seen } = await collectResults(pods, async (pod) => {
    if (pod === 'calls-1') return logOf(single(whole, 0))
    return `${WARNING}\ntime="…" level=error msg="TypeError: Cannot read property 'x' of undefined\\n\\tat file:///test/x.ts:3"`
  })
  expect(result?.runners.map(({ instance }) => instance)).toEqual(['1'])
  expect(seen[1]?.lastWords).toBe("TypeError: Cannot read property 'x' of undefined at file:///test/x.ts:3")
  expect((await collectResults(pods, () => Promise.reject(new Error('no log')))).result).toBeUndefined()
})

test('one line of JSON is read too, as RESULTS_DIR "-" prints it, when the log left it whole', () => {
  const json = JSON.stringify(resultWith())
  expect(resultIn(`hello\n${json}\n${CROSSED}`)?.runId).toBe('fixture')
  expect(resultIn(`hello\n${json.slice(0, 9_000)}${CROSSED}\n${json.slice(9_000)}`)).toBeUndefined()
  expect(resultIn('{"format":"something else"}')).toBeUndefined()
})

test('the last words of a k6 without memory are those of Go, not the stack after them', () => {
  const goroutines = 'goroutine 1 [running]:\n\tgo.k6.io/k6/js/runner.go:3 +0x1a'
  expect(lastWords(`${WARNING}\nfatal error: runtime: out of memory\n\n${goroutines}`)).toBe(
    'fatal error: runtime: out of memory',
  )
})

test('crossed thresholds are no last words', () => {
  expect(lastWords(`${WARNING}\n${CROSSED}`)).toBeUndefined()
})

/** As one of two runners left it in a real cluster: profile smoke, k6 1.8.1. */
const RECORDED = readFileSync(new URL('../fixtures/runner-log.txt', import.meta.url), 'utf8')

test('100 recorded runners are collected, merged and judged within seconds, and ten times as many take ten times as long', async () => {
  // CPU time: on a busy machine the clock also counts what others do.
  const tookMs = async (runners: number): Promise<number> => {
    const pods = Array.from({ length: runners }, (_, i) => podOf(String(i + 1)))
    const began = process.cpuUsage()
    const { result } = await collectResults(pods, async () => RECORDED)
    const verdict = judge({ ...result!, expectedRunners: runners })
    const { user, system } = process.cpuUsage(began)
    const one = histogramCount(mergeHistograms(Object.values(resultIn(RECORDED)!.runners[0]!.histograms)))
    expect(histogramCount(mergeHistograms(Object.values(totalsOf(result!.runners).histograms)))).toBe(runners * one)
    expect(verdict.reasons.map(({ rule }) => rule)).not.toContain('missing-runner')
    return (user + system) / 1000
  }
  const leastOfThree = async (runners: number) =>
    Math.min(await tookMs(runners), await tookMs(runners), await tookMs(runners))
  const ten = await leastOfThree(10)
  const hundred = await leastOfThree(100)
  process.stdout.write(`  collected and judged: 10 runners in ${ten.toFixed(0)} ms, 100 in ${hundred.toFixed(0)} ms\n`)
  expect(hundred).toBeLessThan(5_000)
  // Three times as much as in proportion: collecting garbage falls on some of them.
  expect(hundred).toBeLessThan(30 * Math.max(ten, 5))
})
