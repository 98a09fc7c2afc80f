import { number, percent, plural } from '@hopwhistle/platform/document/figures.ts'
import { blocks, bullets, table } from '@hopwhistle/platform/document/markdown.ts'
import {
  added,
  type Cell,
  type Count,
  type DailyAlarms,
  DELAY_NOISE,
  type Delay,
  type Method,
  NEAR,
  NOISES,
  RUNS_BEFORE,
  STEPS,
} from './precision.ts'
import { DRIFT, KINDS, OUTLIER_SIZE, OUTLIERS, RUNS } from './simulate.ts'

const NAMES: Readonly<Record<Method, string>> = { ours: '`bench history`', otava: 'Otava' }
const METHOD_NAMES = Object.entries(NAMES) as [Method, string][]

/** The Markdown document docs/history-precision.md. */
export function renderPrecision(cells: readonly Cell[], delays: readonly Delay[], daily: DailyAlarms): string {
  const series = cells[0]?.series ?? 0
  return `${blocks(
    '# Precision and recall of the history',
    `Measured on ${number(series * cells.length)} simulated series of ${RUNS} runs, ${series} for each kind, step and noise. ` +
      'All figures are from `npm run bench -- history --precision`, which gives the same ones each time. The method was ' +
      'tuned on other series.',
    bullets([
      '**steady:** a level with normal noise, and one step up or down at a random run; or no step.',
      `**outliers:** the same, and ${percent(OUTLIERS)} of the runs are slower, by up to ${percent(OUTLIER_SIZE)}.`,
      `**drift:** the same as steady, and the level rises evenly by ${percent(DRIFT)} over all runs: no run changed it.`,
      `**found:** a change was reported at most ${NEAR} runs from the step. All other reported changes are wrong.`,
      '**Otava:** the method of Apache Otava 0.8 with its defaults (window 50, p 0.001), on the same series. A test compares it with what Otava itself finds.',
    ]),
    '## All series of a kind',
    table(
      ['Kind', 'Method', 'Recall', 'At the exact run', 'Precision', 'False alarms without a step'],
      KINDS.flatMap((kind) =>
        METHOD_NAMES.map(([method, name]) => {
          const those = cells.filter((cell) => cell.kind === kind)
          const [stepped, flat] = [those.filter(({ step }) => step > 0), those.filter(({ step }) => step === 0)]
          const [all, some, none] = [those, stepped, flat].map((cells) => together(cells, method)) as [Sum, Sum, Sum]
          return [
            kind,
            name,
            share(some.found, some.series),
            share(some.exact, some.series),
            share(all.found, all.found + all.wrong),
            `${none.alarmed} of ${none.series}`,
          ]
        }),
      ),
      [2, 3, 4, 5],
    ),
    'Precision is the share of reported changes that are right, over all series, those without a step included. In a drift ' +
      'every change reported without a step counts as wrong; the level did change there, but at no single run.',
    '## Found, by the size of the step and the noise',
    `Each cell: ${NAMES.ours} / ${NAMES.otava}.`,
    table(
      ['Kind', 'Step', ...NOISES.map((noise) => `noise ${percent(noise)}`)],
      KINDS.flatMap((kind) =>
        STEPS.filter((step) => step > 0).map((step) => [
          kind,
          percent(step),
          ...NOISES.map((noise) => {
            const those = cells.filter((cell) => cell.kind === kind && cell.step === step && cell.noise === noise)
            return METHOD_NAMES.map(([method]) => {
              const { found, series } = together(those, method)
              return share(found, series)
            }).join(' / ')
          }),
        ]),
      ),
      [1, 2, 3, 4, 5],
    ),
    '## After how many runs a step is reported',
    `A steady series with a noise of ${percent(DELAY_NOISE)} is checked after each run. The step comes after ${RUNS_BEFORE} runs.`,
    table(
      ['Step', 'Method', 'Half of the steps', 'Nine of ten'],
      delays.flatMap(({ step, by }) =>
        METHOD_NAMES.map(([method, name]) => [
          percent(step),
          name,
          ...[0.5, 0.9].map((part) => runsText(by[method][Math.ceil(part * by[method].length) - 1]!)),
        ]),
      ),
      [0, 2, 3],
    ),
    `The same without a step, ${daily.series} series: a change was reported after any of the ${RUNS} runs in ` +
      `${METHOD_NAMES.map(([method, name]) => `${daily.by[method]} series by ${name}`).join(', in ')}.`,
    `Otava reports a step at once, but also an outlier. ${NAMES.ours} waits until random order hardly ever looks as clear. ` +
      'To learn at once whether one commit is slower than another, use `make compare`.',
    '## What this does not say',
    bullets([
      'On real machines other programs start and stay for days. That looks like a step, and it is one, of the machine. The ' +
        'machine score in the history shows it if it changed the speed of one thread.',
      'Each metric is tested by itself, again after each run. With many metrics over many days, a false alarm comes sooner or ' +
        'later.',
      'A change near the end of a series, with fewer than 15 runs after it, is part of the last table only.',
    ]),
  )}\n`
}

type Sum = Count & { readonly series: number }

const together = (cells: readonly Cell[], method: Method): Sum => ({
  ...cells.map(({ by }) => by[method]).reduce(added, { found: 0, exact: 0, wrong: 0, alarmed: 0 }),
  series: cells.reduce((sum, { series }) => sum + series, 0),
})

const runsText = (runs: number): string =>
  Number.isFinite(runs) ? plural(runs, 'run') : `not in ${RUNS - RUNS_BEFORE} runs`

const share = (part: number, whole: number): string => (whole === 0 ? '–' : `${number((100 * part) / whole, 1)} %`)
