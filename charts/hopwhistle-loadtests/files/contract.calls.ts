/** The life of a call, as every part of the platform and its load tests agree on it. */

/**
 * INITIATED ─▶ RINGING ─▶ ANSWERED ─▶ one terminal state
 *
 * State only moves forward by rank; skips are normal. Of several terminal states the one that occurred first stands,
 * in whatever order they come, unless an event corrects it; at the same millisecond, the one that comes last here.
 */
export const CALL_STATES = [
  'INITIATED',
  'RINGING',
  'ANSWERED',
  'COMPLETED',
  'BUSY',
  'NO_ANSWER',
  'FAILED',
  'CANCELED',
] as const

export type CallState = (typeof CALL_STATES)[number]

/** Terminal states share a rank: among them, the time decides. */
export const CALL_STATE_RANK: Readonly<Record<CallState, 0 | 1 | 2 | 3>> = {
  INITIATED: 0,
  RINGING: 1,
  ANSWERED: 2,
  COMPLETED: 3,
  BUSY: 3,
  NO_ANSWER: 3,
  FAILED: 3,
  CANCELED: 3,
}

export const TERMINAL_RANK = 3

/** The number stored for a state in Postgres: its place in `CALL_STATES`. Never reorder. */
export const CALL_STATE_CODE: Readonly<Record<CallState, number>> = {
  INITIATED: 0,
  RINGING: 1,
  ANSWERED: 2,
  COMPLETED: 3,
  BUSY: 4,
  NO_ANSWER: 5,
  FAILED: 6,
  CANCELED: 7,
}

export const CALL_DIRECTIONS = ['inbound', 'outbound'] as const
export type CallDirection = (typeof CALL_DIRECTIONS)[number]

/**
 * What became of an event that was accepted.
 *
 * applied    made its call's state: moved it forward, or is the terminal state that stands now
 * late       kept, and its time filled in, but the call was already further
 * duplicate  the same event had been stored before; nothing changed
 */
export const EVENT_OUTCOMES = ['applied', 'late', 'duplicate'] as const
export type EventOutcome = (typeof EVENT_OUTCOMES)[number]

/** Bounds on one call event. An `occurredAt` outside the window answers 422. */
export const EVENT_BOUNDS = {
  idMaxLength: 255,
  /** Of `from` and `to`: a telephone number, a SIP URI, the name of a client, or what stands for one that is withheld. */
  phoneNumberMaxLength: 255,
  metadataMaxBytes: 4096,
  /** As Postgres keeps it, with numbers written out: 1e308 has 309 digits. */
  metadataStoredMaxBytes: 8192,
  eventsPerCall: 1000,
  batchMax: 500,
  /** No event is shorter than `{"eventId":"1","callId":"1","state":"BUSY","occurredAt":"2026-01-31T12:00:00Z"}`. */
  leastBytes: 78,
  occurredAtMaxAgeMs: 90 * 24 * 3600 * 1000,
  occurredAtMaxAheadMs: 5 * 60 * 1000,
} as const

/** Bounds on labels: what an event says of its call under names that its tenant has declared. */
export const LABEL_BOUNDS = {
  /** Of a tenant, and so of an event and of a call. */
  max: 8,
  valueMaxLength: 128,
  /** A regular expression of JSON Schema. */
  namePattern: '^[a-z][a-z0-9_]{0,31}$',
} as const

/** What ids and phone numbers are made of: anything but control characters. A regular expression of JSON Schema. */
export const EVENT_TEXT_PATTERN = '^[^\\u0000-\\u001f\\u007f]+$'

/**
 * The fewest days that a call is kept after its last event, unless it is kept for ever: as long as an event may arrive,
 * and a day for clocks that differ. One that comes again is so either known, or too old to be taken.
 */
export const RETENTION_DAYS_MIN = EVENT_BOUNDS.occurredAtMaxAgeMs / (24 * 3600 * 1000) + 1

/** A call that has not ended counts as stale when it began longer ago, unless its tenant has a time of its own. Migration 0020 says the same. */
export const STALE_AFTER_HOURS = 24

/** A call event as it is posted. Times are RFC 3339 with an offset. What may be left out is also taken as null. */
export type CallEventBody = {
  readonly eventId: string
  readonly callId: string
  readonly state: CallState
  readonly occurredAt: string
  readonly direction?: CallDirection
  readonly from?: string
  readonly to?: string
  /** Its terminal state replaces the one that the call ended with. */
  readonly corrects?: boolean
  /** Campaign, source, agent … of the call, by the names that the tenant has declared. */
  readonly labels?: Readonly<Record<string, string | null>>
  readonly metadata?: Readonly<Record<string, unknown>>
}
