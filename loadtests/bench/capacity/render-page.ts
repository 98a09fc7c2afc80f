/** One capacity measurement as a page that needs no network, with its data to save. */
import { figure, number, percent, plural } from '@hopwhistle/platform/document/figures.ts'
import { type Html, html } from '@hopwhistle/platform/document/html.ts'
import { bullets, minute } from '@hopwhistle/platform/document/markdown.ts'
import { markdown } from '@hopwhistle/platform/document/page/markdown.ts'
import { contents, dataTable, type Sign, saveButtons, signed } from '@hopwhistle/platform/document/page/parts.ts'
import { renderPage } from '@hopwhistle/platform/document/page/render-page.ts'
import { describe } from '../document/sections/environment.ts'
import { commitText } from '../document/sections/words.ts'
import type { CapacityResult } from './capacity-result.ts'
import { triedOf } from './measure-capacity.ts'
import { isFull } from './model.ts'
import { capacityOf } from './next-rate-up.ts'
import { CHECK_MARGIN, type Check, checksOf, lawChart, pointText, predictionChart, stepCharts } from './page-charts.ts'
import { environmentPart, limitAt, signed as withSign } from './render-text.ts'

/** @returns a whole HTML document */
export function renderCapacityPage(result: CapacityResult): string {
  const { environment, startedAt, profile, coresEach } = result
  const checks = checksOf(result)
  const law = [...lawChart(result), ...predictionChart(result, checks)]
  const steps = stepCharts(result)
  const verdict = verdictOf(result, checks)
  const downloads = { 'capacity.json': `${JSON.stringify(result)}\n` }
  return renderPage({
    title: `Capacity of ${environment.name}`,
    charts: [...law, ...steps].map(({ chart }) => chart),
    downloads,
    body: html`<header>
<h1>Capacity</h1>
<p class="quiet">${environment.name} · ${minute(startedAt)} · profile ${profile} · ${figure(coresEach)} cores for each API instance</p>
${contents([
  ['verdict', 'Verdict', signed(verdict.sign, verdict.word)],
  ['figures', 'What instances carry'],
  ['law', 'Law and predictions'],
  ['steps', 'Steps'],
  ['environment', 'Environment'],
])}
</header>
<main>
<section id="verdict">
<h2>Verdict: ${signed(verdict.sign, verdict.word)}</h2>
<div class="card"><p>${verdict.text}</p>
${evidenceTable(result, checks)}</div>
</section>
<section id="figures">${markdown(environmentPart(result))}</section>
<section id="law">
<h2>Law and predictions</h2>
${law.map((one) => one.figure)}${law.length === 0 ? html`<p>No rate held: there is no law.</p>` : ''}
</section>
<section id="steps">
<h2>Steps</h2>
<p>A step runs a workload at a fixed arrival rate. Its result keeps how far it got and what it took, not its latencies.</p>
<div class="pair">${steps.map((one) => one.figure)}</div>
</section>
<section id="environment">
<h2>Environment</h2>
${markdown(bullets([...describe(environment), `**Commit:** ${commitText(environment.source)}`]))}
<h3>Raw data</h3>
<p>Every step as it was measured, as JSON. All else on this page is worked out from it.</p>
${saveButtons(Object.keys(downloads))}
</section>
</main>
`,
  })
}

type Verdict = { readonly sign: Sign; readonly word: string; readonly text: string }

/** Of the model: the figures of the instances are what they are. */
function verdictOf({ profile }: CapacityResult, checks: readonly Check[]): Verdict {
  const predictions = checks.filter(({ point }) => point.role === 'check')
  const off = predictions.filter((check) => Math.abs(check.off) > CHECK_MARGIN)
  const within = percent(CHECK_MARGIN)
  const small = profile === 'smoke' ? ' Steps of profile smoke say nothing about the capacity.' : ''
  if (checks.length === 0) return { sign: 'invalid', word: '? nothing held', text: `No step held.${small}` }
  if (predictions.length === 0) {
    const text = `Nothing was measured that the model does not know, so what it says of other loads is not checked.${small}`
    return { sign: 'invalid', word: '? not checked', text }
  }
  if (off.length === 0) {
    const text = `${plural(predictions.length, 'prediction')} of what the model does not know: all within ${within} of what was then measured.${small}`
    return { sign: 'met', word: '✔ predictions hold', text }
  }
  const text = `${number(off.length)} of ${plural(predictions.length, 'prediction')} of what the model does not know: more than ${within} from what was then measured.${small}`
  return { sign: 'missed', word: '✘ predictions are off', text }
}

function evidenceTable(result: CapacityResult, checks: readonly Check[]): Html {
  return dataTable(
    'What each number of instances carries',
    ['Workload', 'Highest rate that held, /s', 'By a second run', 'Next that failed, /s', 'Why', 'Model'],
    result.points.map((point) => {
      const { held, failed, confirmed } = capacityOf(triedOf(point, result))
      const check = checks.find((one) => one.point === point)
      const role = isFull(point, held) ? 'left out: the machine was full' : 'is made from it'
      const says = check === undefined ? '–' : `predicts ${number(check.predicted)} (${withSign(check.off)})`
      return [
        pointText(point),
        held === 0 ? 'none' : number(held),
        held === 0 ? '–' : confirmed ? signed('met', '✔ confirmed') : signed('invalid', '? not confirmed'),
        failed === undefined ? '–' : number(failed),
        failed === undefined ? '–' : limitAt(point, failed),
        point.role === 'check' ? says : role,
      ]
    }),
  )
}
