import type { LimitName } from '@hopwhistle/contract/limits.ts'

/** Something that can run out, and how far it was used during the peak. */
export type Resource = {
  readonly id: 'machine cpu' | 'node cpu' | 'pod cpu' | 'event loop' | 'redis cpu' | 'disk' | 'memory' | 'limit'
  /** As it is called in a sentence. */
  readonly name: string
  /** 0 to 1, of what there is: on average of what recovers at once, at most of what is refused when it is full. */
  readonly use: number
  /** From here on it is what holds the platform back. */
  readonly saturatedAt: number
  /** The figures behind `use`. */
  readonly figures: string
  /** Which of the contract's limits it is. */
  readonly limit?: LimitName
}
