import type { CallDirection, CallState } from '@hopwhistle/contract/calls.ts'
import { TimeOutOfRange } from '../errors/catalogue.ts'
import { parseTime } from './parse-time.ts'

/** Which calls a list is of. */
export type CallsFilter = {
  readonly state?: CallState
  readonly direction?: CallDirection
  readonly fromNumber?: string
  readonly toNumber?: string
  /** Unix milliseconds; calls that started at it are in. */
  readonly startedFromMs?: number
  /** Unix milliseconds; calls that started at it are not. */
  readonly startedToMs?: number
}

/** As it comes in a query string. */
export type CallsFilterQuery = {
  readonly state?: CallState
  readonly direction?: CallDirection
  readonly fromNumber?: string
  readonly toNumber?: string
  readonly startedFrom?: string
  readonly startedTo?: string
}

/** @throws {InvalidRequest} a time that is none @throws {TimeOutOfRange} a range that is none */
export function parseCallsFilter(query: CallsFilterQuery): CallsFilter {
  const startedFromMs = parseTime('startedFrom', query.startedFrom)
  const startedToMs = parseTime('startedTo', query.startedTo)
  if (startedFromMs !== undefined && startedToMs !== undefined && startedFromMs >= startedToMs) {
    throw TimeOutOfRange('startedTo', query.startedTo as string, `after startedFrom, which is ${query.startedFrom}`)
  }
  return {
    ...(query.state === undefined ? {} : { state: query.state }),
    ...(query.direction === undefined ? {} : { direction: query.direction }),
    ...(query.fromNumber === undefined ? {} : { fromNumber: query.fromNumber }),
    ...(query.toNumber === undefined ? {} : { toNumber: query.toNumber }),
    ...(startedFromMs === undefined ? {} : { startedFromMs }),
    ...(startedToMs === undefined ? {} : { startedToMs }),
  }
}

/** The same for the same filter, however it was written. */
export function filterKey(filter: CallsFilter): string {
  const { state, direction, fromNumber, toNumber, startedFromMs, startedToMs } = filter
  return JSON.stringify([state, direction, fromNumber, toNumber, startedFromMs, startedToMs])
}
