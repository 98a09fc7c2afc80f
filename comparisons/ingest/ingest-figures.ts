import { number } from '@hopwhistle/platform/document/figures.ts'
import { type Figure, ratioOf } from '../measure/figure.ts'
import { coresOf } from '../measure/loaded.ts'
import { peerVersions } from '../peer-versions.ts'
import type { Checked } from './contenders.ts'
import { type IngestMeasured, type IngestTurn, MOST } from './ingest-measured.ts'

export function ingestFigures(most: IngestMeasured): {
  readonly figures: readonly Figure[]
  readonly notes: readonly string[]
} {
  const perSecond = (turns: readonly IngestTurn[]) => turns.map(({ load }) => load.perSecond)
  const each = `one process, ${MOST.connections} open connections, each with one event in flight`
  const figures: readonly Figure[] = [
    {
      id: 'ingest.throughput.ours',
      label: 'Events a second, Hopwhistle',
      unit: '/s',
      rounds: perSecond(most.ours),
      meaning: `Events acknowledged, and so committed, in a second: ${each}.`,
    },
    {
      id: 'ingest.throughput.base',
      label: 'Events a second, Hopwhistle at the base',
      unit: '/s',
      rounds: perSecond(most.base),
      meaning: 'The same for the platform as it was at the base commit, with its own schema and on servers of its own.',
    },
    {
      id: 'ingest.throughput.storesNothing',
      label: 'Events a second, Fastify route that stores nothing',
      unit: '/s',
      rounds: perSecond(most.storesNothing),
      meaning:
        'The same for a route that parses the same JSON, validates it against the same schema, and serializes the same ' +
        'answer: no key, no limits, no metrics, no database.',
    },
    {
      id: 'ingest.throughput.rowAtATime',
      label: 'Events a second, a transaction for each request',
      unit: '/s',
      rounds: perSecond(most.rowAtATime),
      meaning:
        'The same for that route when it inserts the event and upserts its call, between begin and commit, in tables with ' +
        "the columns and indexes of the platform's, with as large a pool; without rollups, outbox and row-level security.",
    },
    {
      id: 'ingest.throughput.ofStoresNothing',
      label: 'Events a second, Hopwhistle ÷ route that stores nothing',
      unit: '×',
      rounds: ratioOf(perSecond(most.ours), perSecond(most.storesNothing)),
      meaning: 'Throughput, divided by that of a route that stores nothing.',
      goal: { comparison: '≥', value: 0.55 },
    },
    {
      id: 'ingest.throughput.ofRowAtATime',
      label: 'Events a second, Hopwhistle ÷ a transaction for each request',
      unit: '×',
      rounds: ratioOf(perSecond(most.ours), perSecond(most.rowAtATime)),
      meaning: 'The gain over the usual implementation.',
      goal: { comparison: '≥', value: 8 },
    },
    {
      id: 'ingest.throughput.ofBase',
      label: 'Events a second, Hopwhistle ÷ the base',
      unit: '×',
      rounds: ratioOf(perSecond(most.ours), perSecond(most.base)),
      meaning: 'The change since the base commit.',
    },
  ]
  return { figures, notes: notesOf(most) }
}

function notesOf(most: IngestMeasured): readonly string[] {
  const cores = (turns: readonly IngestTurn[], group: string) =>
    number(Math.max(...turns.map((turn) => coresOf(turn, group))), 2)
  return [
    `Compared with ${peerVersions('fastify', 'pg')}.`,
    storedNote([most.ours, most.base, most.rowAtATime]),
    'Each contender has a Postgres primary, a replica and, where it needs one, a Redis of its own; API instances are paused while others are measured.',
    'The generator is a Node process with raw sockets that sends bytes made from a template, and reads only the status and the length of a response.',
    `It used at most ${cores(most.storesNothing, 'generator')} cores with the route that stores nothing, ${cores(most.ours, 'generator')} with Hopwhistle and ${cores(most.rowAtATime, 'generator')} with a transaction for each request; their servers used ${cores(most.storesNothing, 'servers')}, ${cores(most.ours, 'servers')} and ${cores(most.rowAtATime, 'servers')} cores.`,
  ]
}

/** The result of the checks, which compare everything that was acknowledged. */
export function storedNote(contenders: readonly (readonly { readonly checked: Checked }[])[]): string {
  const total = (what: keyof Checked) => number(contenders.flat().reduce((sum, { checked }) => sum + checked[what], 0))
  return `After each turn every acknowledged event, and every call, was compared with the database row by row: ${total('events')} events and ${total('calls')} calls, none missing and none different. \`synchronous_commit\` was on.`
}
