/** The measurements of ingest, and their load. */
import type { Loaded } from '../measure/loaded.ts'
import type { Checked, IngestName } from './contenders.ts'

export type IngestTurn = Loaded & { readonly checked: Checked }
/** One instance of each, at its highest throughput. */
export type IngestMeasured = Readonly<Record<IngestName, readonly IngestTurn[]>>

export const MOST = { instances: 1, connections: 200 } as const
