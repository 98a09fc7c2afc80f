import type { Terminal } from '@hopwhistle/platform/command-line/terminal.ts'
import type { Figure } from './measure/figure.ts'

/** What is put side by side with others, each by itself or all in this order. */
export const PARTS = ['ingest', 'event-cost', 'idle', 'reports', 'live', 'scale', 'cost'] as const
export type PartName = (typeof PARTS)[number]

/** In which the platform of an earlier commit is one of the contenders. */
export const COMPARED_WITH_BASE: ReadonlySet<PartName> = new Set(['ingest', 'event-cost', 'idle'])

/** Of a measurement that is to stand. */
export const ROUNDS = 3
export const MEMORY_MINUTES = 10

export type PartOptions = {
  readonly rounds: number
  /** Small and short: proves that everything works, and nothing about the goals. */
  readonly quick: boolean
  /** How long memory is watched; 0: not at all. */
  readonly memoryMinutes: number
  /** The commit that cost is compared with, in any way that git knows it by. */
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
  /** The commit of the base that is one of the contenders. */
  readonly base?: string
  /** What was seen while it was measured and is not a figure, a sentence each. */
  readonly notes: readonly string[]
  /** Figures in detail, already as text. */
  readonly tables?: readonly Table[]
  /** Everything that the figures were made of. */
  readonly raw: unknown
}

export type MeasurePart = (options: PartOptions) => Promise<PartResult>
