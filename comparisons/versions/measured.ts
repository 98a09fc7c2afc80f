/** What a comparison of two versions keeps: every window of every round, as it was measured. */
import type { Place } from '@hopwhistle/platform/machine/place.ts'
import type { Latency } from '../arithmetic.ts'

export const SIDES = ['base', 'head'] as const
/** `base` is what the other one, `head`, is compared with. */
export type Side = (typeof SIDES)[number]
export type Both<T> = Readonly<Record<Side, T>>

/** Each by itself, so that CPU can be told by what it was used for. */
export const KINDS = ['ingest', 'reports', 'live'] as const
/** Call events; reports; deliveries to subscribers. */
export type Kind = (typeof KINDS)[number]

export const COMPONENTS = ['api', 'primary', 'replica', 'redis'] as const
export type Component = (typeof COMPONENTS)[number]

/** One side of a window. */
export type WindowSide = {
  /** Events, reports or deliveries. */
  readonly done: number
  readonly perSecond: number
  /** Of a request from when it was due to its answer; of a delivery from sending the event to receiving the message. */
  readonly latency: Latency
  readonly cpuSeconds: Readonly<Record<Component, number>>
  /** Bytes of WAL of the primary, and statements sent to it. */
  readonly walBytes: number
  readonly statements: number
}

/** A few seconds in which both sides have the same load at once. */
export type WindowPair = {
  readonly kind: Kind
  readonly seconds: number
  /** The idle share of all cores: 0 to 1. */
  readonly idleShare: number
  readonly sides: Both<WindowSide>
}

/** New API processes, a new Redis and a new copy of the database for each side. */
export type Round = {
  /** Number of the set of servers, from 0. */
  readonly servers: number
  /** Whether `head` had the first half of the servers. */
  readonly swapped: boolean
  readonly startedAt: string
  readonly seconds: number
  readonly windows: readonly WindowPair[]
  /** Of the API at the end of the round. */
  readonly memoryBytes: Both<number>
  /** Events of the round that were looked for in the database and found; undefined for a version that cannot be checked. */
  readonly stored: Both<number | undefined>
}

export type Version = {
  /** As it was given; undefined for the files of this checkout as they are. */
  readonly ref?: string
  readonly commit?: string
  /** Whether files differed from that commit. */
  readonly dirty?: boolean
}

export const COMPARISON_FORMAT = 'hopwhistle-compare/1'

export type ComparisonRecord = {
  readonly format: typeof COMPARISON_FORMAT
  readonly measuredAt: string
  readonly name: string
  readonly machine: Place['machine']
  readonly versions: Both<Version>
  readonly seed: number
  readonly load: LoadShape
  /** What was asked for. */
  readonly minutes: number
  /** Of the whole measurement so far: with starting servers and checking out. */
  readonly secondsTaken: number
  readonly rounds: readonly Round[]
}

/** Of each side. */
export type LoadShape = {
  readonly eventsPerSecond: number
  readonly reportsPerSecond: number
  readonly subscribers: number
  readonly messagesPerSecond: number
  readonly windowSeconds: number
  readonly warmUpSeconds: number
  /** The rate of the warm-up, as a multiple of that of the windows. */
  readonly warmUpRate: number
  readonly windowsPerRound: number
  /** In the database before the first event. */
  readonly calls: number
}
