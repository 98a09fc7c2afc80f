import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { renderSvg } from '@hopwhistle/platform/document/chart/render-svg.ts'
import { writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { scenarioBaselineOf } from '../document/baseline.ts'
import { PLACES, type Places } from '../document/paths.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { type Comparable, comparableRuns } from './comparable.ts'
import { historyChart, LEAST_FOR_CHART } from './history-chart.ts'
import { addRuns, type EnvironmentHistory, readHistories } from './history-files.ts'
import { renderHistory } from './render-history.ts'
import { type RunRecord, recordOf } from './run-record.ts'

/** Keeps every result, invalid ones too. @returns the runs that were not there yet */
export const keepRuns = (results: readonly LoadtestResult[], places: Places = PLACES): Promise<readonly RunRecord[]> =>
  addRuns(
    places.history,
    results.map((result) => recordOf(result.scenario, scenarioBaselineOf(result))),
  )

/**
 * Writes docs/history.md and its charts from the history, and from nothing else.
 *
 * @returns the paths of the files written
 */
export async function writeHistory(places: Places = PLACES): Promise<readonly string[]> {
  const histories = await readHistories(places.history)
  const charts = histories.flatMap((history) => {
    return comparableRuns(history.runs)
      .filter((group) => group.runs.length >= LEAST_FOR_CHART)
      .map((group) => {
        const file = chartFile(history, group)
        return { file, svg: renderSvg(historyChart(history.environment, group)) }
      })
  })
  const text = renderHistory(histories, chartFile)
  const shown = charts.filter(({ file }) => text.includes(`(charts/${file})`))
  const files = [
    [places.historyDocument, text] as const,
    ...shown.map(({ file, svg }) => [join(places.charts, file), svg] as const),
  ]
  for (const [path, content] of files) await writeWhole(path, content)
  await removeOthers(
    places.charts,
    files.map(([path]) => path),
  )
  return files.map(([path]) => path)
}

const PREFIX = 'history-'

const chartFile = ({ environment }: EnvironmentHistory, { scenario, fingerprint }: Comparable): string =>
  `${PREFIX}${environment}-${scenario}-${fingerprint}.svg`

/** Charts of runs that are not shown any more. */
async function removeOthers(folder: string, written: readonly string[]): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const left = names.filter((name) => name.startsWith(PREFIX)).map((name) => join(folder, name))
  await Promise.all(left.filter((path) => !written.includes(path)).map((path) => rm(path)))
}
