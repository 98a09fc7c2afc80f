import { join } from 'node:path'
import { number, percent, plural } from '@hopwhistle/platform/document/figures.ts'
import { blocks, bullets, table } from '@hopwhistle/platform/document/markdown.ts'
import { writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { ruleFor } from '../conclude.ts'
import type { ComparisonRecord } from '../measured.ts'
import { METRICS } from '../metrics.ts'
import type { KeptRuns } from './kept-runs.ts'
import { SERIES, SERIES_NAMES } from './series.ts'
import { detectionOf, METHODS, type Method, PLANTED, type Share, trustOf, wilson } from './trust.ts'

export const TRUST_PAGE = join(CHECKOUT, 'docs', 'trust.md')

/** What `make compare` decides by, unless it is told otherwise. */
export const RULE = ruleFor(0.05)

const METHOD_NAMES = Object.entries(METHODS) as [Method, string][]

/** @returns where it was written */
export async function writeTrust(kept: KeptRuns, path = TRUST_PAGE): Promise<string> {
  await writeWhole(path, renderTrust(kept))
  return path
}

export function renderTrust(kept: KeptRuns): string {
  const runs = SERIES_NAMES.flatMap((name) => kept[name])
  const [first] = runs
  return `${blocks(
    '# How far a comparison can be trusted',
    '<!-- Written by `npm run comparisons -- calibrate` from comparisons/baselines/calibration. Do not edit. -->',
    'This page measures [`make compare`](compare.md) itself: what it says when the right answer is known, and what simpler methods say about the same measurements.',
    ...(first === undefined
      ? ['**Nothing is measured yet.** `npm run comparisons -- calibrate` does it.']
      : [howMuch(runs, first), ...figures(kept)]),
  )}\n`
}

function figures(kept: KeptRuns): readonly string[] {
  const { falseAlarms, found } = trustOf(kept.equal, RULE)
  return [
    '## False alarms',
    `A version was compared with itself in ${plural(falseAlarms.ours.of, 'run')}. In how many of them does a method say of any of ${METRICS.length} metrics that it is slower or faster? The goal for \`make compare\` is 1 % at most.`,
    table(
      ['Method', 'Runs', 'False alarms', 'Share', '95 % interval'],
      METHOD_NAMES.map(([method, name]) => [name, ...shareCells(falseAlarms[method])]),
      [1, 2, 3, 4],
    ),
    '## Real slowdowns',
    'A version was compared with itself made slower in one thing. In how many runs does a method find that? The goal for `make compare` is 95 % of those of 5 %.',
    table(
      ['What was slower', 'By, measured', 'Runs', ...METHOD_NAMES.map(([, name]) => name)],
      SERIES_NAMES.flatMap((name) => realRow(kept, name)),
      [1, 2, 3, 4, 5, 6],
    ),
    bullets(
      SERIES_NAMES.flatMap((name) => {
        const { title, slowdown, neighbourCores } = SERIES[name]
        return slowdown === undefined || neighbourCores > 0
          ? []
          : [`**${title}**, to be ${percent(slowdown.aim)} slower: ${slowdown.how}.`]
      }),
    ),
    '## Planted slowdowns',
    'The runs of equal versions again, with a slowdown planted into the recorded windows of one metric at a time. It was computed, not measured. How often is it found?',
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
  ]
}

/** How much there is of what is to be. */
function howMuch(runs: readonly ComparisonRecord[], first: ComparisonRecord): string {
  const planned = SERIES_NAMES.reduce((sum, name) => sum + SERIES[name].runs, 0)
  const hours = runs.reduce((sum, { secondsTaken }) => sum + secondsTaken, 0) / 3600
  const machines = [...new Set(runs.map(({ machine }) => machine.cpuModel))].join(' and ')
  const commit = first.versions.base.commit?.slice(0, 7) ?? 'of a checkout'
  const measured = `${plural(runs.length, 'run')} of ${planned} are measured so far, of version \`${commit}\`: ${number(hours, 1)} hours on ${machines}.`
  return runs.length < planned
    ? `${measured} Shares of so few runs have wide intervals; \`calibrate\` goes on with the others.`
    : measured
}

function realRow(kept: KeptRuns, name: (typeof SERIES_NAMES)[number]): readonly (readonly string[])[] {
  const { title, slowdown, neighbourCores } = SERIES[name]
  if (slowdown === undefined) return []
  const metric = METRICS.find(({ id }) => id === slowdown.metric)!
  const { found, slowdown: by } = detectionOf(kept[name], metric, RULE)
  const beside = neighbourCores > 0 ? ', next to a program that takes a third of the CPU' : ''
  const slower = by === undefined ? '–' : `${number(100 * by.mean, 1)} ± ${number(100 * by.twiceError, 1)} %`
  const cell = (share: Share) => (share.of === 0 ? '–' : `${share.found} of ${share.of}`)
  return [
    [`${title}${beside}`, slower, number(kept[name].length), ...METHOD_NAMES.map(([method]) => cell(found[method]))],
  ]
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
