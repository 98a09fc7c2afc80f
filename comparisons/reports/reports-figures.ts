import { bytes, number } from '@hopwhistle/platform/document/figures.ts'
import { median } from '../arithmetic.ts'
import { type Figure, ratioOf } from '../measure/figure.ts'
import { coresOf, type Loaded } from '../measure/loaded.ts'
import type { PartResult, Table } from '../parts.ts'
import { valueText } from '../render-figures.ts'
import { CACHED_CONNECTIONS, type CachedMeasured } from './cached.ts'
import type { PagesOfFilter } from './deep-pages.ts'
import { INTERFERENCE, type InterferenceMeasured } from './interference.ts'
import { type MonthMeasured, monthMedians } from './month-by-hour.ts'

export type ReportsMeasured = {
  readonly events: { readonly small: number; readonly large: number }
  readonly seedSeconds: number
  readonly month: MonthMeasured
  readonly cached: CachedMeasured
  readonly pages: readonly PagesOfFilter[]
  readonly interference: InterferenceMeasured
}

export function reportsFigures(measured: ReportsMeasured): Omit<PartResult, 'raw'> {
  const { events, seedSeconds, month, cached, pages } = measured
  const notes = [
    `The histories are ${number(events.large)} and ${number(events.small)} events of the same 30 days, made by \`db:seed:demo --calls=N\`: the large one in ${number(seedSeconds)} s, indexes, rollups and replica included.`,
    `Before anything was timed, both answers were compared: ${number(month.hoursCompared)} hours and the whole, every count equal, averages equal to the millisecond, percentiles within the 1 % that the platform states.`,
    'Uncached: the caches in Redis and in the instance are cleared before each request, and every response says that the replica answered it.',
    `Cached reports are requested over ${CACHED_CONNECTIONS} keep-alive connections. The generator used ${coresText(cached.ours)} cores with Hopwhistle, and ${coresText(cached.sameBytes)} with the route that returns the same bytes.`,
  ]
  return {
    figures: [
      ...monthFigures(month, events),
      ...cachedFigures(cached),
      ...pageFigures(pages),
      ...interferenceFigures(measured),
    ],
    notes,
    tables: [pagesTable(pages)],
  }
}

const coresText = (turns: readonly Loaded[]): string =>
  number(Math.max(...turns.map((turn) => coresOf(turn, 'generator'))), 2)

function monthFigures(month: MonthMeasured, events: ReportsMeasured['events']): readonly Figure[] {
  const [large, small, plain] = [month.large, month.small, month.plainSql].map(monthMedians) as [
    readonly number[],
    readonly number[],
    readonly number[],
  ]
  return [
    {
      id: 'reports.month.ours',
      label: `30 days by the hour, uncached, at ${number(events.large)} events`,
      unit: 'ms',
      rounds: large,
      meaning:
        'Time of a request over HTTP, from its first byte to the last of its answer; the median of a turn of 30, one at a time.',
    },
    {
      id: 'reports.month.small',
      label: `The same at ${number(events.small)} events`,
      unit: 'ms',
      rounds: small,
      meaning: 'The same request to an instance on a database that holds a hundredth.',
    },
    {
      id: 'reports.month.plainSql',
      label: `Plain SQL at ${number(events.large)} events`,
      unit: 'ms',
      rounds: plain,
      meaning:
        'The same answers in one statement over the calls table, on the same replica, by its index and with parallel workers and 512 MB to sort in; without HTTP.',
    },
    {
      id: 'reports.month.ofPlainSql',
      label: '30 days by the hour, plain SQL ÷ Hopwhistle',
      unit: '×',
      rounds: ratioOf(plain, large),
      meaning: 'How many times faster the report is, uncached.',
      goal: { comparison: '≥', value: 200 },
    },
    {
      id: 'reports.month.growth',
      label: '30 days by the hour, a hundred times the history ÷ the history',
      unit: '×',
      rounds: ratioOf(large, small),
      meaning: 'What a hundred times as many events add to the time of that report.',
      goal: { comparison: '≤', value: 1.2 },
    },
  ]
}

function cachedFigures({ ours, sameBytes, answerBytes }: CachedMeasured): readonly Figure[] {
  const perSecond = (turns: readonly Loaded[]) => turns.map(({ load }) => load.perSecond)
  return [
    {
      id: 'reports.cached.ours',
      label: 'Cached reports a second, Hopwhistle',
      unit: '/s',
      rounds: perSecond(ours),
      meaning: `A day by the hour (${bytes(answerBytes)}), one process, ${CACHED_CONNECTIONS} connections: key, limits, metrics and a look-up in Redis included.`,
    },
    {
      id: 'reports.cached.sameBytes',
      label: 'Cached reports a second, Fastify route that returns the same bytes',
      unit: '/s',
      rounds: perSecond(sameBytes),
      meaning: 'The same body and headers from memory: no key, no limits, no metrics, no query.',
    },
    {
      id: 'reports.cached.ratio',
      label: 'Cached reports a second, Hopwhistle ÷ that route',
      unit: '×',
      rounds: ratioOf(perSecond(ours), perSecond(sameBytes)),
      meaning: 'Throughput, divided by that of a route that has the response in memory.',
      goal: { comparison: '≥', value: 0.7 },
    },
  ]
}

function pageFigures(pages: readonly PagesOfFilter[]): readonly Figure[] {
  /** The filter with the highest median. The worst filter of each round would mostly be chance. */
  const worst = (of: (page: PagesOfFilter) => readonly number[]) =>
    pages.map(of).reduce((most, rounds) => (median(rounds) > median(most) ? rounds : most))
  return [
    {
      id: 'reports.pages.first',
      label: 'First page of calls, slowest filter',
      unit: 'ms',
      rounds: worst(({ first }) => first),
      meaning: 'Median time of the first page, uncached, under the filter for which it is slowest.',
    },
    {
      id: 'reports.pages.deep',
      label: 'Ten-thousandth page of calls, slowest filter',
      unit: 'ms',
      rounds: worst(({ deep }) => deep),
      meaning: 'The same for the ten-thousandth page, or the last where there are fewer.',
    },
    {
      id: 'reports.pages.ratio',
      label: 'Ten-thousandth page ÷ first page, worst filter',
      unit: '×',
      rounds: worst(({ first, deep }) => ratioOf(deep, first)),
      meaning: 'How much slower a page deep down is than the first one under the same filter, where that is most.',
      goal: { comparison: '≤', value: 1.2 },
    },
  ]
}

function interferenceFigures({ interference }: ReportsMeasured): readonly Figure[] {
  const { instances, reportsPerSecond, eventsPerSecond } = INTERFERENCE
  const of = (turn: 'reports' | 'ingest' | 'both', what: 'reports' | 'ingest', q: 'p50Ms' | 'p95Ms') =>
    interference[turn].map((measured) => measured[what]!.latency[q])
  const how = `over ${instances} instances, ${reportsPerSecond} reports (those by the day mostly cached) and ${eventsPerSecond} events a second`
  return (['reports', 'ingest'] as const).flatMap((what): readonly Figure[] => {
    const [name, other] = what === 'reports' ? ['Reports', 'ingest'] : ['Ingest', 'reports']
    return [
      {
        id: `reports.interference.${what}Alone`,
        label: `${name} alone, p50`,
        unit: 'ms',
        rounds: of(what, what, 'p50Ms'),
        meaning: `Time from when a request was due until it was answered, with nothing else going on: ${how}.`,
      },
      {
        id: `reports.interference.${what}`,
        label: `${name} with ${other} ÷ ${what} alone, p50`,
        unit: '×',
        rounds: ratioOf(of('both', what, 'p50Ms'), of(what, what, 'p50Ms')),
        meaning: `What ${other} at the same time adds to it.`,
        goal: { comparison: '<', value: 1.2 },
      },
      {
        id: `reports.interference.${what}P95`,
        label: `${name} with ${other} ÷ ${what} alone, p95`,
        unit: '×',
        rounds: ratioOf(of('both', what, 'p95Ms'), of(what, what, 'p95Ms')),
        meaning: 'The same for the slowest of twenty.',
      },
    ]
  })
}

function pagesTable(pages: readonly PagesOfFilter[]): Table {
  return {
    title: 'Pages of the calls list by filter, in ms',
    header: ['Filter', 'Calls on a page', 'First page', 'Deep page', 'Which'],
    right: [1, 2, 3, 4],
    rows: pages.map(({ filter, limit, deepPage, first, deep }) => [
      filter === '' ? 'none' : `\`${filterNames(filter)}\``,
      number(limit),
      valueText(median(first)),
      valueText(median(deep)),
      number(deepPage),
    ]),
  }
}

/** Without numbers and times, which differ in each run. */
const filterNames = (filter: string): string =>
  filter
    .split('&')
    .map((part) => (/^(started|from|to)/.test(part) ? part.slice(0, part.indexOf('=')) : part))
    .join(' ')
