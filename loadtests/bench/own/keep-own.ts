/** Where the result of a script is kept: the result, its page, and a line in the history. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { histogramCount, mergeHistograms, percentileMs } from '../../scenarios/lib/histogram.ts'
import { LATENCY } from '../../scenarios/own/plan.ts'
import { rounded } from '../findings/stat.ts'
import { fingerprintOf } from '../history/fingerprint.ts'
import { addRuns } from '../history/history-files.ts'
import { RUN_FORMAT, type RunRecord } from '../history/run-record.ts'
import { REPORT_FILE } from '../report/write-report.ts'
import { judgeOwn } from './judge-own.ts'
import { isSameRun, lacksEvidence, parseOwnResult } from './own-evidence.ts'
import { renderOwnReport } from './own-report.ts'
import { OWN_FORMAT, type OwnResult, type OwnVerdict } from './own-result.ts'
import { keptAs } from './plan-run.ts'
import { judgedSeconds } from './times.ts'

/**
 * A result of the same run that knows more is not replaced: then only `<name>.later.json` is written.
 *
 * @returns what was written, and where
 */
export async function keepOwn(
  result: OwnResult,
  dir: string,
): Promise<readonly (readonly [what: string, path: string])[]> {
  const [path, report, history] = [`${result.name}.json`, REPORT_FILE, 'history'].map((file) => join(dir, file)) as [
    string,
    string,
    string,
  ]
  if (knowsMore(path, result)) {
    const later = join(dir, `${result.name}.later.json`)
    await writeWhole(later, `${JSON.stringify(result)}\n`)
    return [[`${result.name}.json knows more of the same run and stays; this result`, later]]
  }
  await writeWhole(path, `${JSON.stringify(result)}\n`)
  await writeWhole(report, renderOwnReport([result]))
  await addRuns(history, [recordOf(result, result.verdict ?? judgeOwn(result))])
  return [
    ['Result', path],
    ['Report', report],
    ['History', history],
  ]
}

/** Whether a file is a result of the same run with evidence that this one lacks. */
function knowsMore(path: string, result: OwnResult): boolean {
  try {
    const before = parseOwnResult(readFileSync(path, 'utf8'))
    return isSameRun(before, result) && lacksEvidence(result, before)
  } catch {
    return false
  }
}

/** Whether a file's text is the result of a script of one's own; it is judged by other rules than ours. */
export const isOwnResult = (text: string): boolean => text.startsWith(`{"format":"${OWN_FORMAT}"`)

/** @throws {Failure} */
export function readOwnResult(path: string): OwnResult | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${(error as Error).message}`)
  }
  if (!isOwnResult(text)) return undefined
  const result = JSON.parse(text) as OwnResult
  return { ...result, verdict: judgeOwn(result) }
}

/** Runs of another script, other targets or other options of k6 are not compared. */
export function recordOf(result: OwnResult, verdict: OwnVerdict): RunRecord {
  const { name, runId, startedAt, runners, environment, load } = result
  const { k6, ...place } = environment
  const full = {
    ...place,
    versions: { node: process.versions.node, k6 },
    stack: { apiInstances: 0, replicas: 0, generatorOnSameMachine: false },
  }
  const profile = `load ${load}`
  const isValid = verdict.outcome !== 'invalid'
  return {
    format: RUN_FORMAT,
    scenario: name,
    profile,
    runId,
    startedAt,
    endedAt: runners[0]?.endedAt ?? startedAt,
    outcome: verdict.outcome,
    ...(isValid
      ? {}
      : { reasons: verdict.reasons.filter(({ effect }) => effect === 'invalid').map(({ text }) => text) }),
    fingerprint: fingerprintOf({ scenario: name, profile, runners: runners.length, load: {}, environment: full }),
    environment: full,
    runners: runners.length,
    load: {},
    figures: isValid ? figuresOf(result) : {},
  }
}

function figuresOf(result: OwnResult): Readonly<Record<string, number>> {
  const { runners, judged } = result
  const values = (metric: string, value: string) =>
    runners.reduce((sum, { metrics }) => sum + (metrics[keptAs(metric, judged !== undefined)]?.values[value] ?? 0), 0)
  const figures: Record<string, number> = {}
  const requests = values('http_reqs', 'count')
  if (requests > 0) figures.rate = rounded(requests / judgedSeconds(result))
  const merged = mergeHistograms(runners.flatMap(({ histograms }) => histograms[LATENCY] ?? []))
  // Those of a part of the requests would be figures of something else.
  if (histogramCount(merged) !== requests) return figures
  for (const percent of [50, 95, 99]) {
    const ms = percentileMs(merged, percent)
    if (ms !== undefined) figures[`${LATENCY}.p${percent}`] = rounded(ms)
  }
  return figures
}
