import type { Terminal } from '@hopwhistle/platform/command-line/terminal.ts'
import type { Figure } from './measure/figure.ts'

/** The parts of the comparison, measured one by one or all in this order. */
export const PARTS = ['ingest', 'event-cost', 'idle', 'reports', 'live', 'scale', 'cost'] as const
export type PartName = (typeof PARTS)[number]

/** Parts in which the platform at an earlier commit is a contender. */
export const COMPARED_WITH_BASE: ReadonlySet<PartName> = new Set(['ingest', 'event-cost', 'idle'])

/** Of a complete measurement. */
export const ROUNDS = 3
export const MEMORY_MINUTES = 10

export type PartOptions = {
  readonly rounds: number
  /** Small and short: shows that everything works, says nothing about the goals. */
  readonly quick: boolean
  /** How long memory is sampled; 0: not at all. */
  readonly memoryMinutes: number
  /** The commit that cost is compared with, as any git revision. */
  readonly base: string
  readonly redisServer: string
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

export type Table = {
  readonly title: string
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** Columns of figures, from 0. */
  readonly right: readonly number[]
}

export type PartResult = {
  readonly figures: readonly Figure[]
  /** The commit of the base, where it is a contender. */
  readonly base?: string
  /** Observations that are not figures, one sentence each. */
  readonly notes: readonly string[]
  /** Detailed figures, formatted as text. */
  readonly tables?: readonly Table[]
  /** All data that the figures were computed from. */
  readonly raw: unknown
}

export type MeasurePart = (options: PartOptions) => Promise<PartResult>
