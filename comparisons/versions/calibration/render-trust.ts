import { number, percent, plural } from '@hopwhistle/platform/document/figures.ts'
import { blocks, table } from '@hopwhistle/platform/document/markdown.ts'
import { METRICS } from '../metrics.ts'
import { METHODS, type Method, PLANTED, type Share, type Trust, wilson } from './trust.ts'

const METHOD_NAMES = Object.entries(METHODS) as [Method, string][]

export function renderTrust({ falseAlarms, found }: Trust): string {
  return `${blocks(
    '# How far a comparison can be trusted',
    '## Equal versions',
    `A version was compared with itself in ${plural(falseAlarms.ours.of, 'run')}. In how many of them does a method say of any of ${METRICS.length} metrics that it is slower or faster?`,
    table(
      ['Method', 'Runs', 'False alarms', 'Share', '95 % interval'],
      METHOD_NAMES.map(([method, name]) => [name, ...shareCells(falseAlarms[method])]),
      [1, 2, 3, 4],
    ),
    '## Planted slowdowns',
    'The same runs, with a slowdown planted into the recorded windows of one metric at a time. How often is it found?',
    table(
      ['Slowdown', 'Method', 'Metrics × runs', 'Found', 'Share', '95 % interval'],
      PLANTED.flatMap((change) =>
        METHOD_NAMES.map(([method, name]) => [
          percent(change),
          name,
          ...shareCells(together(found.filter((one) => one.change === change).map(({ by }) => by[method]))),
        ]),
      ),
      [0, 2, 3, 4, 5],
    ),
    `Found by \`${METHODS.ours}\`, metric by metric:`,
    table(
      ['Metric', ...PLANTED.map((change) => percent(change))],
      METRICS.map((metric) => [
        metric.label,
        ...PLANTED.map((change) => {
          const one = found.find((candidate) => candidate.change === change && candidate.metric === metric)!
          return shareText(one.by.ours)
        }),
      ]),
      PLANTED.map((_, i) => i + 1),
    ),
  )}\n`
}

const together = (shares: readonly Share[]): Share => ({
  of: shares.reduce((sum, { of }) => sum + of, 0),
  found: shares.reduce((sum, { found }) => sum + found, 0),
})

const shareText = ({ of, found }: Share): string => (of === 0 ? '–' : `${number((100 * found) / of)} %`)

function shareCells(share: Share): readonly string[] {
  const [low, high] = wilson(share)
  return [
    number(share.of),
    number(share.found),
    shareText(share),
    `${number(100 * low, 1)} to ${number(100 * high, 1)} %`,
  ]
}
