import type { LiveSystem } from '../reader/protocol.ts'
import type { Delivery } from './deliver.ts'

/** 100,000 deliveries a second, and the other loads. */
export const LIVE = {
  instances: 2,
  load: { subscribers: 200, messagesPerSecond: 500 },
  /** Additional subscribers that never read. */
  slow: 10,
  besideSeconds: 30,
  /** As many as an instance takes. */
  idleSockets: 1_000,
} as const

export type IdleMemory = { readonly beforeBytes: number; readonly bytesPerThousand: number }

export type LiveMeasured = {
  /** `Centrifugo v6.9.1`; undefined when it was not available. */
  readonly centrifugo?: string | undefined
  readonly deliveries: Readonly<Partial<Record<LiveSystem, readonly Delivery[]>>>
  /** The platform, with and without subscribers that never read. */
  readonly beside: Readonly<Record<'nobodySlow' | 'someSlow', readonly Delivery[]>>
  readonly memory: Readonly<Partial<Record<LiveSystem, readonly IdleMemory[]>>>
}
