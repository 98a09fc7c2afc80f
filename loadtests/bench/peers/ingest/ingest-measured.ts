/** What is measured of ingest, and under which load. */
import type { Loaded } from '../measure/loaded.ts'
import type { IngestName } from './contenders.ts'

export type IngestTurn = Loaded & { readonly checked: { readonly events: number; readonly calls: number } }
export type IngestMeasured = {
  /** One instance, as fast as it goes. */
  readonly most: Readonly<Record<IngestName, readonly IngestTurn[]>>
  /** Three instances, at the rate of the brief. */
  readonly atRate: Readonly<Record<'ours' | 'rowAtATime', readonly IngestTurn[]>>
}

export const MOST = { instances: 1, connections: 200 } as const
export const AT_RATE = { instances: 3, connections: 60, ratePerSecond: 500 } as const
