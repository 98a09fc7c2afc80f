import type { CallDirection, CallState } from '@hopwhistle/contract/calls.ts'
import { InvalidRequest, TimeOutOfRange } from '../errors/catalogue.ts'
import { type LabelFilter, parseLabelFilters } from './label-filter.ts'
import { normalNumber } from './normal-number.ts'
import { parseTime } from './parse-time.ts'

/** Which calls a list is of. */
export type CallsFilter = {
  readonly state?: CallState
  readonly direction?: CallDirection
  /** In its normal form. */
  readonly fromNumber?: string
  /** In its normal form. */
  readonly toNumber?: string
  /** Unix milliseconds; calls that started at it are in. */
  readonly startedFromMs?: number
  /** Unix milliseconds; calls that started at it are not. */
  readonly startedToMs?: number
  /** Whether it was ever answered. */
  readonly answered?: boolean
  /** Whether it never ended, and began longer ago than its tenant's calls may. */
  readonly stale?: boolean
  /** From answered to the end. Calls that have none are not in. */
  readonly talkMinMs?: number
  readonly talkMaxMs?: number
  /** From the start to the end. Calls that have not ended are not in. */
  readonly durationMinMs?: number
  readonly durationMaxMs?: number
  /** Calls that have all of these. */
  readonly labels?: readonly LabelFilter[]
}

/** As it comes in a query string. */
export type CallsFilterQuery = {
  readonly state?: CallState
  readonly direction?: CallDirection
  readonly fromNumber?: string
  readonly toNumber?: string
  readonly startedFrom?: string
  readonly startedTo?: string
  readonly answered?: 'true' | 'false'
  readonly stale?: 'true' | 'false'
  readonly talkMinMs?: number
  readonly talkMaxMs?: number
  readonly durationMinMs?: number
  readonly durationMaxMs?: number
  readonly label?: readonly string[]
}

/** @throws {InvalidRequest} a time or a label that is none, or a range that is none @throws {TimeOutOfRange} a range of time that is none */
export function parseCallsFilter(query: CallsFilterQuery): CallsFilter {
  const startedFromMs = parseTime('startedFrom', query.startedFrom)
  const startedToMs = parseTime('startedTo', query.startedTo)
  if (startedFromMs !== undefined && startedToMs !== undefined && startedFromMs >= startedToMs) {
    throw TimeOutOfRange('startedTo', query.startedTo as string, `after startedFrom, which is ${query.startedFrom}`)
  }
  for (const length of ['talk', 'duration'] as const) {
    const [least, most] = [query[`${length}MinMs`], query[`${length}MaxMs`]]
    if (least !== undefined && most !== undefined && least > most) {
      const message = `is ${most}; it may not be less than ${length}MinMs, which is ${least}`
      throw InvalidRequest([{ field: `${length}MaxMs`, message }])
    }
  }
  return withoutAbsent({
    state: query.state,
    direction: query.direction,
    fromNumber: query.fromNumber === undefined ? undefined : normalNumber(query.fromNumber),
    toNumber: query.toNumber === undefined ? undefined : normalNumber(query.toNumber),
    startedFromMs,
    startedToMs,
    answered: flag(query.answered),
    stale: flag(query.stale),
    talkMinMs: query.talkMinMs,
    talkMaxMs: query.talkMaxMs,
    durationMinMs: query.durationMinMs,
    durationMaxMs: query.durationMaxMs,
    labels: query.label === undefined ? undefined : parseLabelFilters(query.label),
  })
}

/** The same for the same filter, however it was written. What is not given stays out: cursors of before are still good. */
export function filterKey(filter: CallsFilter): string {
  const { state, direction, fromNumber, toNumber, startedFromMs, startedToMs, ...others } = filter
  const more = Object.entries(others).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([
    ...[state, direction, fromNumber, toNumber, startedFromMs, startedToMs],
    ...(more.length === 0 ? [] : [more]),
  ])
}

const flag = (given: 'true' | 'false' | undefined) => (given === undefined ? undefined : given === 'true')

type Given<T> = { readonly [K in keyof T]: T[K] | undefined }

function withoutAbsent(filter: Given<Required<CallsFilter>>): CallsFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as CallsFilter
}
