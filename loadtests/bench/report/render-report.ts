/** The report of load tests: one page with the verdicts, what they rest on, and charts. */
import { SCENARIOS, TRAFFIC, trafficIn } from '@hopwhistle/contract/scenarios.ts'
import { renderSvg } from '@hopwhistle/platform/document/chart/render-svg.ts'
import { number, percent, plural } from '@hopwhistle/platform/document/figures.ts'
import { Html, html } from '@hopwhistle/platform/document/html.ts'
import { minute } from '@hopwhistle/platform/document/markdown.ts'
import { markdown, markdownLine } from '@hopwhistle/platform/document/page/markdown.ts'
import type { Drawn } from '@hopwhistle/platform/document/page/page-chart.ts'
import { contents, dataTable, saveButtons, signed } from '@hopwhistle/platform/document/page/parts.ts'
import { renderPage } from '@hopwhistle/platform/document/page/render-page.ts'
import { scenarioBaselineOf } from '../document/baseline.ts'
import type { DocumentModel, Measured } from '../document/model.ts'
import { scenarioChart } from '../document/scenario-chart.ts'
import { carriedNote } from '../document/sections/carried.ts'
import { configurationOf } from '../document/sections/configuration.ts'
import { environmentSection } from '../document/sections/environment.ts'
import { limitsSection } from '../document/sections/limits.ts'
import { sentence } from '../document/sections/words.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { COMPARISON, measuredWithUnit } from '../evidence/metric-text.ts'
import type { Outcome } from '../evidence/verdict.ts'
import { find } from '../findings/find.ts'
import { resourcesOf } from '../findings/resources.ts'
import { latencyCharts } from './latency-charts.ts'
import { serverCharts } from './server-charts.ts'

/** What a verdict is shown as. */
export const OUTCOMES: Readonly<Record<Outcome, string>> = { met: '✔ met', missed: '✘ missed', invalid: '⚠ invalid' }

/**
 * @param results judged, one or more; several of one scenario are shown next to each other
 * @returns a whole HTML document that needs no network
 * @throws {Error} when a result does not say where it was measured
 */
export function renderReport(results: readonly LoadtestResult[]): string {
  const parts = results.map(partOf)
  const model: DocumentModel = {
    environment: results[0]?.environment?.name ?? 'unknown',
    measured: parts.map(({ measured }) => measured),
    others: [],
  }
  const title = `Load test: ${parts.map(({ measured }) => `${SCENARIOS[measured.scenario].title} ${measured.verdict.outcome}`).join(', ')}`
  const files = Object.fromEntries(parts.map(({ id, result }) => [`${id}.json`, `${JSON.stringify(result)}\n`]))
  return renderPage({
    title,
    charts: parts.flatMap(({ load, servers }) => [...load, ...servers].map(({ chart }) => chart)),
    downloads: files,
    body: html`<header>
<h1>Load test report</h1>
<p class="quiet">${model.environment} · ${minute(model.measured[0]?.startedAt ?? '')}</p>
${contents([
  ...parts.map(
    ({ id, measured }) => [id, SCENARIOS[measured.scenario].title, outcome(measured.verdict.outcome)] as const,
  ),
  ['limits', 'Limits and use'],
  ['environment', 'Environment'],
])}
</header>
<main>
${parts.map(scenarioPart)}
<section id="limits">${markdown(limitsSection(model))}</section>
<section id="environment">${markdown(environmentSection(model))}
<h3>Raw data</h3>
<p>Each result has every counter, bucket and sample of its run, as JSON.</p>
${saveButtons(Object.keys(files))}
</section>
</main>
`,
  })
}

type Part = {
  readonly id: string
  readonly result: LoadtestResult
  readonly measured: Measured
  readonly load: readonly Drawn[]
  readonly servers: readonly Drawn[]
}

function partOf(result: LoadtestResult, place: number, all: readonly LoadtestResult[]): Part {
  const { scenario } = result
  const baseline = scenarioBaselineOf(result)
  const { generatorOnSameMachine } = baseline.environment.stack
  const conclusions = find(baseline.facts, baseline.verdict, { generatorOnSameMachine })
  const id = all.filter((one) => one.scenario === scenario).length > 1 ? `${scenario}-${place + 1}` : scenario
  const kinds = trafficIn(scenario)
  return {
    id,
    result,
    measured: { ...baseline, scenario, conclusions },
    load: kinds.flatMap((kind) => latencyCharts(result, baseline.verdict, kind, id)),
    servers: serverCharts(result, id),
  }
}

const outcome = (given: Outcome): Html => signed(given, OUTCOMES[given])

function scenarioPart({ id, result, measured, load, servers }: Part): Html {
  const drawn = [...load, ...servers]
  const { verdict, conclusions, scenario, chart, profile, startedAt, runners } = measured
  const { title } = SCENARIOS[scenario]
  const unscripted =
    chart.points.length === 0
      ? undefined
      : new Html(
          renderSvg(scenarioChart({ title, subtitle: `profile ${profile}`, metrics: verdict.metrics, data: chart })),
        )
  return html`<section id="${id}">
<h2>${title}: ${outcome(verdict.outcome)}</h2>
<p class="quiet">Profile ${profile}, ${minute(startedAt)}, ${plural(runners, 'k6 process', 'k6 processes')}, run ${result.runId}</p>
<div class="card">
${dataTable(
  `Targets of ${title}`,
  ['Metric', 'Target', 'Measured', 'Verdict'],
  verdict.metrics.map((metric) => [
    `${metric.label}${metric.of === undefined ? '' : ` (${TRAFFIC[metric.of].many})`}`,
    `${COMPARISON[metric.comparison]} ${number(metric.target)} ${metric.unit}`,
    metric.measured === undefined ? 'not measured' : measuredWithUnit(metric),
    outcome(metric.status),
  ]),
)}
${verdict.reasons.length === 0 ? '' : html`<h3>Evidence</h3><ul>${verdict.reasons.map(({ effect, text }) => html`<li>${effect === 'remark' ? '' : html`${outcome(effect)}: `}${sentence(text)}</li>`)}</ul>`}
${verdict.carried === undefined ? '' : markdown(carriedNote(verdict.carried, verdict))}
</div>
<h3>Findings</h3>
${listOf('What it shows', conclusions.findings, id, drawn)}
${listOf('Bottlenecks', conclusions.bottlenecks, id, drawn)}
${listOf('Recommendations', conclusions.recommendations, id, drawn)}
<h3>Latency and rate</h3>
${unscripted === undefined ? html`<p>This run was not watched while it ran: there are no charts over time.</p>` : html`<noscript>${unscripted}</noscript>`}
<div class="pair">${load.map((one) => one.figure)}</div>
<h3>Servers</h3>
${result.server === undefined ? html`<p>The servers were not sampled during this run.</p>` : usesOf(measured)}
<div class="pair">${servers.map((one) => one.figure)}</div>
<h3>Configuration</h3>
<ul>${configurationOf(measured).map((text) => html`<li>${markdownLine(text)}</li>`)}</ul>
</section>
`
}

/** Which chart shows what the finding of a rule rests on. */
const EVIDENCE: Readonly<Record<string, string>> = {
  batches: 'commits',
  'cpu-cost': 'cpu',
  database: 'wal',
  'database-waits': 'connections',
  'faster-flush': 'wal',
  'generator-apart': 'cpu',
  headroom: 'cpu',
  'larger-batches': 'commits',
  'larger-machine': 'cpu',
  'larger-pool': 'connections',
  'lock-waits': 'connections',
  'more-api-cpu': 'cpu',
  'more-buffers': 'memory',
  'nothing-near': 'cpu',
  'pool-waits': 'in-flight',
  refused: 'in-flight',
  'replica-lag': 'wal',
  saturated: 'cpu',
  'slow-replica': 'wal',
  statements: 'commits',
}

function listOf(
  heading: string,
  items: readonly { readonly rule: string; readonly text: string }[],
  id: string,
  drawn: readonly Drawn[],
): Html {
  if (items.length === 0) return html``
  const link = (rule: string): Html | undefined => {
    const chart = drawn.find((one) => one.chart.id === `${id}-${EVIDENCE[rule]}`)?.chart
    return chart && html` <a href="#${chart.id}">Chart: ${chart.title}</a>`
  }
  return html`<p><strong>${heading}</strong></p>
<ul>${items.map((item) => html`<li>${markdownLine(item.text)}${link(item.rule)}</li>`)}</ul>`
}

/** How near everything came to its limit during the peak, the nearest first. */
function usesOf({ facts }: Measured): Html {
  const resources = resourcesOf(facts).slice(0, 6)
  return html`<ul>${resources.map(
    ({ name, use, saturatedAt, figures }) =>
      html`<li>${name}: ${percent(use)} used, saturated from ${percent(saturatedAt)} (${figures})</li>`,
  )}</ul>`
}
