import { number } from '../../judge/format.ts'
import { type Figure, ratioOf } from '../measure/figure.ts'
import { coresOf, cpuMsEach } from '../measure/loaded.ts'
import { peerVersions } from '../peer-versions.ts'
import { AT_RATE, type IngestMeasured, type IngestTurn, MOST } from './ingest-measured.ts'

const EVERYTHING = ['servers', 'postgres primary', 'postgres replica', 'redis'] as const

export function ingestFigures({ most, atRate }: IngestMeasured): {
  readonly figures: readonly Figure[]
  readonly notes: readonly string[]
} {
  const perSecond = (turns: readonly IngestTurn[]) => turns.map(({ load }) => load.perSecond)
  const p99 = (turns: readonly IngestTurn[]) => turns.map(({ load }) => load.latency.p99Ms)
  /** Of one event it is milliseconds; of a thousand, seconds. */
  const cpuPerThousand = (turns: readonly IngestTurn[]) => turns.map((turn) => cpuMsEach(turn, EVERYTHING))
  const each = `one process, ${MOST.connections} connections that are kept, each with one event under way`
  const figures: readonly Figure[] = [
    {
      id: 'ingest.throughput.ours',
      label: 'Events a second, Hopwhistle',
      unit: '/s',
      rounds: perSecond(most.ours),
      meaning: `Events acknowledged, and so committed, in a second: ${each}.`,
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
        'The same for that route when it inserts the event and upserts its call, between begin and commit, in the same ' +
        'tables with as large a pool; without rollups, outbox and row-level security.',
    },
    {
      id: 'ingest.throughput.ofStoresNothing',
      label: 'Events a second, Hopwhistle ÷ route that stores nothing',
      unit: '×',
      rounds: ratioOf(perSecond(most.ours), perSecond(most.storesNothing)),
      meaning: 'What is left of the speed of a route that does nothing, when everything is done.',
      goal: { comparison: '≥', value: 0.85 },
    },
    {
      id: 'ingest.throughput.ofRowAtATime',
      label: 'Events a second, Hopwhistle ÷ a transaction for each request',
      unit: '×',
      rounds: ratioOf(perSecond(most.ours), perSecond(most.rowAtATime)),
      meaning: 'What is gained over what most people would write.',
      goal: { comparison: '≥', value: 10 },
    },
    {
      id: 'ingest.p99.ours',
      label: `p99 at ${AT_RATE.ratePerSecond}/s, Hopwhistle`,
      unit: 'ms',
      rounds: p99(atRate.ours),
      meaning: `Time from when an event was due until it was acknowledged: ${AT_RATE.ratePerSecond} a second, evenly spaced, over ${AT_RATE.instances} instances.`,
      goal: { comparison: '<', value: 20 },
    },
    {
      id: 'ingest.p99.rowAtATime',
      label: `p99 at ${AT_RATE.ratePerSecond}/s, a transaction for each request`,
      unit: 'ms',
      rounds: p99(atRate.rowAtATime),
      meaning: 'The same for the other.',
    },
    {
      id: 'ingest.cpu.ours',
      label: `CPU for 1,000 events at ${AT_RATE.ratePerSecond}/s, Hopwhistle`,
      unit: 's',
      rounds: cpuPerThousand(atRate.ours),
      meaning: 'CPU seconds of the API instances, Postgres, its replica and Redis together.',
    },
    {
      id: 'ingest.cpu.rowAtATime',
      label: `CPU for 1,000 events at ${AT_RATE.ratePerSecond}/s, a transaction for each request`,
      unit: 's',
      rounds: cpuPerThousand(atRate.rowAtATime),
      meaning: 'The same for the other: its instances, Postgres and the replica.',
    },
  ]
  return { figures, notes: notesOf(most, atRate) }
}

function notesOf(most: IngestMeasured['most'], atRate: IngestMeasured['atRate']): readonly string[] {
  const last = (turns: readonly IngestTurn[]) => turns.at(-1)!.checked
  const stored = [last(most.ours), last(atRate.ours), last(most.rowAtATime), last(atRate.rowAtATime)]
  const total = (what: 'events' | 'calls') => number(stored.reduce((sum, checked) => sum + checked[what], 0))
  const cores = (turns: readonly IngestTurn[], group: string) =>
    number(Math.max(...turns.map((turn) => coresOf(turn, group))), 2)
  return [
    `Compared with ${peerVersions('fastify', 'pg')}.`,
    `After each turn every acknowledged event, and every call, was compared with the database row by row: ${total('events')} events and ${total('calls')} calls, none missing and none different. \`synchronous_commit\` was on.`,
    'The generator is a Node process with raw sockets that sends bytes made from a template, and reads of an answer its status and length.',
    `At most it kept ${cores(most.storesNothing, 'generator')} cores busy with the route that stores nothing, ${cores(most.ours, 'generator')} with Hopwhistle and ${cores(most.rowAtATime, 'generator')} with a transaction for each request, whose servers kept ${cores(most.storesNothing, 'servers')}, ${cores(most.ours, 'servers')} and ${cores(most.rowAtATime, 'servers')} busy.`,
  ]
}
