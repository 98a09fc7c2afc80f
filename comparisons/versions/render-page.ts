/** A comparison as one page: the answer, what it rests on, and every window. */
import { bytes, number, plural } from '@hopwhistle/platform/document/figures.ts'
import { type Html, html } from '@hopwhistle/platform/document/html.ts'
import { bullets, minute } from '@hopwhistle/platform/document/markdown.ts'
import { markdown } from '@hopwhistle/platform/document/page/markdown.ts'
import { contents, dataTable, type Sign, saveButtons, signed } from '@hopwhistle/platform/document/page/parts.ts'
import { renderPage } from '@hopwhistle/platform/document/page/render-page.ts'
import { machineLine } from '@hopwhistle/platform/machine/machine-line.ts'
import { changesChart, eValue, evidenceCharts, latencyCharts } from './comparison-charts.ts'
import { type Conclusion, conclude, ruleFor } from './conclude.ts'
import { type ComparisonRecord, type Round, SIDES } from './measured.ts'
import { effectsOf } from './metrics.ts'
import { nameOf, renderAnswer, renderSummary, TITLE } from './render-summary.ts'
import { type Answer, type ChangeCourse, courseOf, neededFor, type Rule } from './statistics/decide.ts'

const SIGNS: Readonly<Record<Answer, readonly [Sign, string]>> = {
  slower: ['missed', '✘ slower'],
  faster: ['met', '✔ faster'],
  same: ['met', '✔ the same'],
  undecided: ['invalid', '? undecided'],
}

/**
 * @param margin the change that matters, 0.05 for 5 %
 * @returns a whole HTML document that needs no network
 */
export function renderComparisonPage(record: ComparisonRecord, margin: number): string {
  const rule = ruleFor(margin)
  const conclusion = conclude(record, rule)
  const { rounds, versions, name, measuredAt } = record
  const changes = rounds.length === 0 ? [] : [changesChart(conclusion, rounds, margin)]
  const metrics = conclusion.metrics.map(({ metric }) => metric)
  const evidence = rounds.length === 0 ? [] : evidenceCharts(rounds, rule, metrics)
  const latencies = latencyCharts(rounds)
  const downloads = {
    'compare.json': `${JSON.stringify(record)}\n`,
    'compare.md': renderSummary(record, conclusion, margin),
  }
  const [sign, answer] = SIGNS[conclusion.answer]
  const title = `${TITLE} ${answer.slice(2)}: ${nameOf(versions.head)} compared with ${nameOf(versions.base)}`
  return renderPage({
    title: title.replaceAll('`', ''),
    charts: [...changes, ...evidence, ...latencies].map(({ chart }) => chart),
    downloads,
    body: html`<header>
<h1>${TITLE}</h1>
<p class="quiet">${name} · ${minute(measuredAt)}</p>
${contents([
  ['answer', 'Answer', signed(sign, answer)],
  ['changes', 'Changes'],
  ['evidence', 'Evidence'],
  ['latencies', 'Latencies'],
  ['rounds', 'Rounds'],
  ['environment', 'Environment'],
])}
</header>
<main>
<section id="answer">
<h2>Answer: ${signed(sign, answer)}</h2>
<div class="card">${markdown(renderAnswer(record, conclusion, margin))}</div>
</section>
<section>
<h2>Changes</h2>
${changes.map(({ figure }) => figure)}${rounds.length === 0 ? html`<p id="changes">No round was finished.</p>` : ''}
</section>
<section id="evidence">
<h2>Evidence</h2>
${evidenceTable(rounds, rule, conclusion)}
<div class="pair">${evidence.map(({ figure }) => figure)}</div>
</section>
<section id="latencies">
<h2>Latencies</h2>
<div class="pair">${latencies.map(({ figure }) => figure)}</div>
</section>
<section id="rounds">
<h2>Rounds</h2>
${roundsTable(rounds)}
</section>
<section id="environment">
<h2>Environment</h2>
${markdown(environmentOf(record))}
<h3>Raw data</h3>
<p>Every window as it was measured, as JSON, and the answer as Markdown.</p>
${saveButtons(Object.keys(downloads))}
</section>
</main>
`,
  })
}

/** The most that it ever came to: evidence that was enough once counts, whatever follows. */
function evidenceTable(rounds: readonly Round[], rule: Rule, { metrics }: Conclusion): Html {
  const needed = neededFor(rule)
  const most = (course: readonly number[]) => eValue(course.length === 0 ? undefined : Math.max(...course))
  const seen = ({ evidence, repetition }: ChangeCourse) =>
    `${most(evidence)}${repetition === undefined ? '' : `; on new servers, from round ${repetition.from + 1}: ${most(repetition.evidence)}`}`
  const head = (what: string, enough: number) => `${what} (enough: ${number(enough)})`
  return html`<p>E-values: how many times its money somebody has who bets on it, at the most that this ever was. With
equal versions, nobody gains on average. A change needs ${number(needed.suspicion)}, and then ${number(needed.repetition)} again on new servers.</p>
${dataTable(
  'Evidence of each metric',
  [
    'Metric',
    'Answer',
    head('Slower', needed.suspicion),
    head('Faster', needed.suspicion),
    head('Not slower by the margin', needed.same),
    head('Not faster by the margin', needed.same),
  ],
  metrics.map(({ metric, answer }) => {
    const course = courseOf(effectsOf(metric, rounds), rule)
    const [sign, text] = SIGNS[answer]
    return [
      metric.label,
      signed(sign, text),
      seen(course.slower),
      seen(course.faster),
      most(course.notSlower),
      most(course.notFaster),
    ]
  }),
)}`
}

const roundsTable = (rounds: readonly Round[]): Html =>
  dataTable(
    'The rounds',
    [
      'Round',
      'Began',
      'Servers',
      'First pair',
      'Seconds',
      'Idle CPU of its windows, %',
      ...SIDES.flatMap(checkedHeader),
    ],
    rounds.map(({ startedAt, servers, swapped, seconds, windows, stored, memoryBytes }, i) => [
      i + 1,
      startedAt.slice(11, 19),
      servers + 1,
      swapped ? 'head' : 'base',
      number(seconds, 1),
      windows.map(({ idleShare }) => number(100 * idleShare)).join(', '),
      ...SIDES.flatMap((side) => [
        stored[side] === undefined ? 'not checked' : number(stored[side]),
        bytes(memoryBytes[side]),
      ]),
    ]),
  )

const checkedHeader = (side: string): string[] => [`Events found stored, ${side}`, `Memory, ${side}`]

function environmentOf({ machine, versions, load, seed, minutes, secondsTaken, rounds }: ComparisonRecord): string {
  return bullets([
    `**Machine:** ${machineLine(machine)}`,
    ...SIDES.map((side) => `**${side === 'base' ? 'Base' : 'Head'}:** ${nameOf(versions[side])}`),
    `**Load of each version:** ${number(load.eventsPerSecond)} events, ${number(load.reportsPerSecond)} reports and ${number(load.messagesPerSecond)} messages a second to ${plural(load.subscribers, 'subscriber')}, in windows of ${number(load.windowSeconds)} s, ${number(load.windowsPerRound)} of each kind in a round; ${plural(load.calls, 'call')} in the database before`,
    `**Took:** ${number(secondsTaken / 60, 1)} of at most ${plural(minutes, 'minute')}, ${plural(rounds.length, 'round')}; seed ${seed}`,
  ])
}
