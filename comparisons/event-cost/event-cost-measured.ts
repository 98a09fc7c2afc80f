/** The measurements of the cost of an event, and their load. */
import { readInstances } from '@hopwhistle/platform/stack/how-many-instances.ts'
import type { IngestTurn } from '../ingest/ingest-measured.ts'
import type { PostgresWork } from './postgres-work.ts'

export type EventCostTurn = IngestTurn & { readonly work: PostgresWork }
export type EventCostMeasured = Readonly<Record<'ours' | 'base' | 'rowAtATime', readonly EventCostTurn[]>>

/** The planned rate, over as many instances of each contender as the stack has on this machine. */
export const AT_RATE = { instances: readInstances(), connections: 60, ratePerSecond: 500 } as const
