/** The report of the runs of scripts: one page, as that of our scenarios. */
import { figure, number } from '@hopwhistle/platform/document/figures.ts'
import { type Html, html } from '@hopwhistle/platform/document/html.ts'
import { minute } from '@hopwhistle/platform/document/markdown.ts'
import { type Drawn, draw, shown, type TimeChart } from '@hopwhistle/platform/document/page/page-chart.ts'
import { contents, dataTable, saveButtons, signed } from '@hopwhistle/platform/document/page/parts.ts'
import { renderPage } from '@hopwhistle/platform/document/page/render-page.ts'
import { histogramCount, mergeHistograms } from '../../scenarios/lib/histogram.ts'
import { LATENCY, latencyName } from '../../scenarios/own/plan.ts'
import { windowsIn } from '../document/chart-data.ts'
import { rounded } from '../findings/stat.ts'
import { distribution, heat, latency, percentiles, type Time } from '../report/latency-charts.ts'
import { measuredText, metricText, targetText } from './figure-text.ts'
import { judgeOwn } from './judge-own.ts'
import { usesOf, useText } from './limited-by.ts'
import type { Figure, OwnResult, OwnVerdict } from './own-result.ts'
import { percentileIn } from './target.ts'

const SIGNS = { met: '✔ met', missed: '✘ missed', invalid: '⚠ invalid', unknown: '? not known' } as const
const MOST_WINDOWS = 240
const MOST_HEAT_WINDOWS = 90

/** @param results one or more; of two, their figures are compared as well */
export function renderOwnReport(results: readonly OwnResult[]): string {
  const parts = results.map((result, i) => {
    const id = results.length > 1 ? `${result.name}-${i + 1}` : result.name
    const verdict = result.verdict ?? judgeOwn(result)
    return { id, result, verdict, drawn: [...loadCharts(result, verdict, id), ...serverCharts(result, id)] }
  })
  const files = Object.fromEntries(parts.map(({ id, result }) => [`${id}.json`, `${JSON.stringify(result)}\n`]))
  return renderPage({
    title: `Load test: ${parts.map(({ result, verdict }) => `${result.name} ${verdict.outcome}`).join(', ')}`,
    charts: parts.flatMap(({ drawn }) => drawn.map(({ chart }) => chart)),
    downloads: files,
    body: html`<header>
<h1>Load test report</h1>
${contents(parts.map(({ id, result, verdict }) => [id, result.name, sign(verdict.outcome)]))}
</header>
<main>
${parts.length === 2 ? compared(parts) : ''}
${parts.map(sectionOf)}
<section id="raw">
<h2>Raw data</h2>
${saveButtons(Object.keys(files))}
</section>
</main>
`,
  })
}

type Part = {
  readonly id: string
  readonly result: OwnResult
  readonly verdict: OwnVerdict
  readonly drawn: readonly Drawn[]
}

const sign = (given: keyof typeof SIGNS): Html => signed(given === 'unknown' ? 'invalid' : given, SIGNS[given])

function sectionOf({ id, result, verdict, drawn }: Part): Html {
  const { script, runId, startedAt, runners, judged, environment } = result
  const { machine } = environment
  const uses = runners.length === 0 ? [] : usesOf(result)
  return html`<section id="${id}">
<h2>${result.name}: ${sign(verdict.outcome)}</h2>
<p class="quiet">${script}, ${minute(startedAt)}, run ${runId}, k6 ${environment.k6}, on ${machine.cores} cores (${machine.cpuModel})</p>
<div class="card">
${dataTable(
  `Targets of ${id}`,
  ['Metric', 'Target', 'Measured', 'Verdict'],
  verdict.figures.map((figure) => [metricText(figure), targetText(figure), measuredText(figure), sign(figure.status)]),
)}
<h3>Evidence</h3>
<ul><li>Limited by: ${verdict.limitedBy}.</li>${verdict.reasons.map(({ effect, text }) => html`<li>${effect === 'invalid' ? html`${sign('invalid')}: ` : ''}${text}.</li>`)}
${judged === undefined ? '' : html`<li>Targets of the file are judged from second ${judged.fromSeconds} to second ${judged.toSeconds}.</li>`}</ul>
</div>
${uses.length === 0 ? '' : html`<h3>Limits and use</h3><ul>${uses.map((use) => html`<li>${useText(use)}</li>`)}</ul>`}
<h3>Over time</h3>
<div class="pair">${drawn.map((one) => one.figure)}</div>
</section>
`
}

/** Two runs of one script, or one script against two addresses. */
function compared(parts: readonly Part[]): Html {
  const [before, after] = parts as readonly [Part, Part]
  const key = (figure: Figure) => metricText(figure)
  const rows = before.verdict.figures.flatMap((one) => {
    const other = after.verdict.figures.find((figure) => key(figure) === key(one))
    if (other === undefined) return []
    const ratio = (other.measured ?? Number.NaN) / (one.measured ?? Number.NaN)
    return [[key(one), measuredText(one), measuredText(other), Number.isFinite(ratio) ? number(ratio, 3) : '–']]
  })
  return html`<section id="compared">
<h2>Compared</h2>
<p>The second divided by the first. Two runs do not tell a change from noise: repeat both, in turns.</p>
${dataTable('The two runs', ['Metric', before.id, after.id, 'Ratio'], rows)}
</section>`
}

function timeOf({ runners, judged }: OwnResult, group: string): Time & { readonly startedAt: number } {
  const startedAt = Math.min(...runners.map((runner) => Date.parse(runner.startedAt)))
  const seconds = Math.max(0, ...runners.map((runner) => (Date.parse(runner.endedAt) - startedAt) / 1000))
  return { group, seconds, startedAt, phases: judged === undefined ? [] : [{ name: 'judged', ...judged }] }
}

function loadCharts(result: OwnResult, { figures }: OwnVerdict, group: string): readonly Drawn[] {
  if (result.runners.length === 0) return []
  const { startedAt, ...time } = timeOf(result, group)
  const timed = { id: 'requests', many: 'requests' }
  const targets = figures.flatMap((figure) => {
    const percentile = percentileIn(figure)
    return figure.metric === LATENCY && percentile !== undefined ? [{ percentile, ms: figure.value }] : []
  })
  const windows = (most: number) =>
    windowsIn(result.series, startedAt, time.seconds, most).map((window) => ({
      ...window,
      latency: mergeHistograms(
        Object.entries(window.totals.histograms).flatMap(([name, one]) =>
          name.startsWith(`${latencyName(0)}_`) ? [one] : [],
        ),
      ),
    }))
  const all = mergeHistograms(result.runners.flatMap(({ histograms }) => histograms[LATENCY] ?? []))
  const some = windows(MOST_WINDOWS)
  const points = (name: string) =>
    some.map(
      ({ from, to, seconds, totals }) =>
        [rounded((from + to) / 2), rounded((totals.counters[`k6_${name}`] ?? 0) / seconds)] as const,
    )
  return [
    ...(some.length === 0
      ? []
      : [
          latency(some, timed, targets, time),
          withRows({
            ...time,
            kind: 'time',
            id: `${group}-rate`,
            title: 'Rate over time',
            description: 'Requests and iterations a second.',
            unit: '/s',
            lines: ['http_reqs', 'iterations'].map((name) => ({ name, points: points(name) })),
          }),
          heat(windows(MOST_HEAT_WINDOWS), timed, time),
        ]),
    ...(histogramCount(all) === 0 ? [] : [distribution(all, timed, group), percentiles(all, timed, targets, group)]),
  ]
}

function serverCharts(result: OwnResult, group: string): readonly Drawn[] {
  if (result.runners.length === 0) return []
  const { startedAt: _, ...time } = timeOf(result, group)
  return result.servers.flatMap(({ name, query, unit, limit, series }, i) =>
    series.length === 0
      ? []
      : [
          withRows({
            ...time,
            kind: 'time',
            id: `${group}-server-${i}`,
            title: name,
            description: query,
            unit,
            lines: series.map(({ labels, points }) => ({ name: labels || name, points })),
            ...(limit === undefined
              ? {}
              : { targets: [{ value: limit, text: `limit ${figure(limit)}`, colour: 'bad' as const }] }),
          }),
        ],
  )
}

/** With a row for each moment at which any of its lines has a value. */
function withRows(chart: TimeChart): Drawn {
  const times = [...new Set(chart.lines.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => a - b)
  const values = chart.lines.map(({ points }) => new Map(points))
  const header = ['Seconds', ...chart.lines.map(({ name }) => `${name}, ${chart.unit}`)]
  return draw(chart, { header, rows: times.map((at) => shown([at, ...values.map((of) => of.get(at) ?? null)])) })
}
