/** What is measured of an event's cost, and under which load. */
import type { IngestTurn } from '../ingest/ingest-measured.ts'
import type { PostgresWork } from './postgres-work.ts'

export type EventCostTurn = IngestTurn & { readonly work: PostgresWork }
export type EventCostMeasured = Readonly<Record<'ours' | 'base' | 'rowAtATime', readonly EventCostTurn[]>>

/** The rate of the brief. */
export const AT_RATE = { instances: 3, connections: 60, ratePerSecond: 500 } as const
