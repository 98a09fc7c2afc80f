import { SCENARIOS, type ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { renderSvg } from '@hopwhistle/platform/document/chart/render-svg.ts'
import { day } from '@hopwhistle/platform/document/markdown.ts'
import { isFullLoadValid } from '../evidence/verdict.ts'
import { type DocumentModel, measuredOf } from './model.ts'
import { scenarioChart } from './scenario-chart.ts'

export const chartFile = (scenario: ScenarioName): string => `${scenario}.svg`

/** @returns undefined when the scenario was not measured, or not watched while it ran */
export function chartOf(model: DocumentModel, scenario: ScenarioName): string | undefined {
  const measured = measuredOf(model, scenario)
  if (measured === undefined || measured.chart.points.length === 0) return undefined
  const { verdict, chart, profile, startedAt } = measured
  const invalid = isFullLoadValid(verdict) ? '' : ' · invalid, proves nothing'
  return renderSvg(
    scenarioChart({
      title: SCENARIOS[scenario].title,
      subtitle: `profile ${profile} · ${day(startedAt)} · ${model.environment}${invalid}`,
      metrics: verdict.metrics,
      data: chart,
    }),
  )
}
