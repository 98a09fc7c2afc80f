import { BASELINE_SCENARIOS, SCENARIOS, type ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { list } from '@hopwhistle/platform/document/figures.ts'
import { blocks } from '@hopwhistle/platform/document/markdown.ts'
import { type DocumentModel, measuredOf } from '../model.ts'

/** What is done and what is open, as far as the baselines can tell. */
export function nextStepsSection(model: DocumentModel): string {
  const { measured } = model
  const names = (those: readonly { scenario: ScenarioName }[]) =>
    list(those.map(({ scenario }) => SCENARIOS[scenario].title.toLowerCase()))
  const unmeasured = BASELINE_SCENARIOS.filter((scenario) => measuredOf(model, scenario) === undefined)
  const short = measured.filter(({ profile }) => profile !== 'full')
  const invalid = measured.filter(({ verdict }) => verdict.outcome === 'invalid')
  const again = measured.filter((one) => invalid.includes(one) || one.newerInvalid !== undefined)
  const missed = measured.filter(({ verdict }) => verdict.outcome === 'missed')
  const open = measured.filter(({ conclusions }) =>
    conclusions.recommendations.some(({ rule }) => rule !== 'find-the-end'),
  )
  const steps: [done: boolean, text: string][] = [
    [true, 'Scenarios, judging and this document: `loadtests/`'],
    unmeasured.length === 0
      ? [true, 'Every scenario measured in this environment']
      : [false, `Measure ${names(unmeasured.map((scenario) => ({ scenario })))} in this environment`],
    short.length === 0
      ? [true, 'All of it with profile `full`']
      : [false, `Measure with profile \`full\`: ${names(short)}`],
    ...(again.length === 0 ? [] : [[false, `Run again with valid evidence: ${names(again)}`] as [boolean, string]]),
    missed.length + invalid.length === 0
      ? [true, 'Every target met']
      : [false, `Meet every target: ${names([...missed, ...invalid])}`],
    [true, 'Bottlenecks identified from evidence, in each scenario above'],
    open.length === 0
      ? [true, 'No open recommendation, except to find the limit']
      : [false, `Weigh the recommendations for ${names(open)}, and measure again`],
    [true, 'Measured daily: [`performance.yml`](../.github/workflows/performance.yml)'],
    [false, 'Alert on each limit before it is reached: `hopwhistle_usage / hopwhistle_limit` is exported for it'],
  ]
  return blocks('## Next steps', steps.map(([done, text], i) => `${i + 1}. ${done ? '✅' : '⏳'} ${text}`).join('\n'))
}
