import { number, plural } from '@hopwhistle/platform/document/figures.ts'
import { median } from '../arithmetic.ts'
import { storedNote } from '../ingest/ingest-figures.ts'
import { type Figure, type Goal, ratioOf } from '../measure/figure.ts'
import { coresOf, cpuMsEach } from '../measure/loaded.ts'
import type { PartResult, Table } from '../parts.ts'
import { peerVersions } from '../peer-versions.ts'
import { valueText } from '../render-figures.ts'
import { AT_RATE, type EventCostMeasured, type EventCostTurn } from './event-cost-measured.ts'

const COMPONENTS = {
  API: 'servers',
  primary: 'postgres primary',
  replica: 'postgres replica',
  Redis: 'redis',
} as const
const PLATFORM = Object.values(COMPONENTS)

const CONTENDERS = {
  ours: 'Hopwhistle',
  base: 'Hopwhistle at the base',
  rowAtATime: 'a transaction for each request',
} as const
type Name = keyof typeof CONTENDERS

const LOAD = `${AT_RATE.ratePerSecond} events a second, evenly spaced, over ${AT_RATE.connections} connections that are kept to ${plural(AT_RATE.instances, 'instance')}`

export function eventCostFigures(measured: EventCostMeasured): Omit<PartResult, 'raw'> {
  const cpuUs = (name: Name, groups: readonly string[]) => measured[name].map((turn) => 1000 * cpuMsEach(turn, groups))
  const primary = (name: Name) => cpuUs(name, [COMPONENTS.primary])
  const platform = (name: Name) => cpuUs(name, PLATFORM)
  const latency = (name: Name, percentile: 'p50Ms' | 'p99Ms') =>
    measured[name].map(({ load }) => load.latency[percentile])

  /** One figure for each contender. */
  const each = (id: string, what: string, unit: string, of: (name: Name) => readonly number[], meaning: string) =>
    Object.entries(CONTENDERS).map(([name, label]): Figure => {
      const rounds = of(name as Name)
      return { id: `event-cost.${id}.${name}`, label: `${what}, ${label}`, unit, rounds, meaning }
    })
  const ratio = (
    id: string,
    label: string,
    of: (name: Name) => readonly number[],
    pair: Pair,
    goal?: Goal,
  ): Figure => ({
    id: `event-cost.${id}`,
    label: `${label}, ${inRatio(pair[0])} ÷ ${inRatio(pair[1])}`,
    unit: '×',
    rounds: ratioOf(of(pair[0]), of(pair[1])),
    meaning: `${label}, divided by that of the other in the same round.`,
    ...(goal && { goal }),
  })
  const ofPrimary = "The primary's CPU for an event"
  const ofPlatform = "The platform's CPU for an event"
  const p99 = each('p99', 'p99', 'ms', (name) => latency(name, 'p99Ms'), 'The same for 99 of 100 events.')
  return {
    figures: [
      ratio('primary.ofBase', ofPrimary, primary, ['ours', 'base'], { comparison: '≤', value: 0.5 }),
      ratio('platform.ofRowAtATime', ofPlatform, platform, ['ours', 'rowAtATime'], { comparison: '≤', value: 0.8 }),
      ratio('platform.baseOfRowAtATime', ofPlatform, platform, ['base', 'rowAtATime']),
      ratio('platform.ofBase', ofPlatform, platform, ['ours', 'base']),
      ratio('primary.ofRowAtATime', ofPrimary, primary, ['ours', 'rowAtATime']),
      ...each(
        'primary',
        ofPrimary,
        'µs',
        primary,
        `CPU of all processes of the Postgres primary, for each event: ${LOAD}.`,
      ),
      ...each(
        'platform',
        ofPlatform,
        'µs',
        platform,
        'CPU of the API instances, the primary, the replica and Redis together.',
      ),
      ...each(
        'p50',
        'p50',
        'ms',
        (name) => latency(name, 'p50Ms'),
        'Time from when an event was due until it was acknowledged, for half of the events.',
      ),
      ...p99.map(
        (figure): Figure =>
          figure.id.endsWith('.ours') ? { ...figure, goal: { comparison: '<', value: 20 } } : figure,
      ),
    ],
    tables: [componentsTable(measured, cpuUs)],
    notes: notesOf(measured),
  }
}

const inRatio = (name: Name): string => (name === 'base' ? 'the base' : CONTENDERS[name])

type Pair = readonly [above: Name, below: Name]

function componentsTable(
  measured: EventCostMeasured,
  cpuUs: (name: Name, groups: readonly string[]) => readonly number[],
): Table {
  const each = (name: Name, of: (turn: EventCostTurn) => number) =>
    median(measured[name].map((turn) => of(turn) / turn.load.answered))
  return {
    title:
      'An event in detail: CPU in µs by component, statements sent to the primary, bytes of WAL; medians of the rounds',
    header: ['Contender', ...Object.keys(COMPONENTS), 'Together', 'Statements', 'WAL'],
    right: [1, 2, 3, 4, 5, 6, 7],
    rows: Object.entries(CONTENDERS).map(([name, label]) => [
      label,
      ...PLATFORM.map((group) => valueText(median(cpuUs(name as Name, [group])))),
      valueText(median(cpuUs(name as Name, PLATFORM))),
      number(
        each(name as Name, ({ work }) => work.statements),
        2,
      ),
      number(each(name as Name, ({ work }) => work.walBytes)),
    ]),
  }
}

function notesOf(measured: EventCostMeasured): readonly string[] {
  const turns = [measured.ours, measured.base, measured.rowAtATime]
  const seconds = number(turns[0]![0]!.load.seconds)
  const vacuums = turns.map((of) => number(of.reduce((sum, { work }) => sum + work.vacuums, 0)))
  const generator = number(Math.max(...turns.flat().map((turn) => coresOf(turn, 'generator'))), 2)
  return [
    `Compared with ${peerVersions('fastify', 'pg')}.`,
    storedNote(turns),
    `A turn is measured for ${seconds} s, with all that is done in the background meanwhile: folding, publishing from the outbox, reports to the replica, and autovacuum, which vacuumed ${vacuums[0]} tables of Hopwhistle, ${vacuums[1]} of Hopwhistle at the base and ${vacuums[2]} of a transaction for each request.`,
    'Each contender has a Postgres primary, a replica and, where it needs one, a Redis of its own; API instances are paused while others are measured.',
    `The generator used at most ${generator} cores.`,
  ]
}
