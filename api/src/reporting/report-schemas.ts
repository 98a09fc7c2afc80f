/** Questions and answers of the reports as JSON Schema: for checking query strings and for the OpenAPI document. */
import { CALL_DIRECTIONS, CALL_STATES, EVENT_BOUNDS, EVENT_OUTCOMES, LABEL_BOUNDS } from '@hopwhistle/contract/calls.ts'
import { Type } from 'typebox'
import { COUNT_AT_MOST, COUNT_MODES } from './calls-count.ts'
import { CALLS_ORDERS, USUAL_ORDER } from './calls-order.ts'
import { GROUPS_LIMIT } from './groups/breakdown.ts'
import { WEEKDAYS, ZONE_GRANULARITIES } from './zones/zone-buckets.ts'
import { ZONED_RANGE } from './zones/zoned-range.ts'

// No `examples` on what may be left out: Swagger UI fills them all in, and together they ask for nothing.
const time = (description: string) =>
  Type.Optional(
    Type.String({ format: 'date-time', description: `${description}; for example \`2026-11-24T10:00:00Z\`` }),
  )
const state = Type.Enum([...CALL_STATES])
const direction = Type.Enum([...CALL_DIRECTIONS])
const phoneNumber = (description: string) =>
  Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: EVENT_BOUNDS.phoneNumberMaxLength,
      description: `${description}; for example \`+14155550100\``,
    }),
  )
const NOTATION =
  'in any notation: +49 30 1234 and tel:+49-30-1234 are the same; what is no number with a +, exactly as it was sent'
const cursor = (description: string) =>
  Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 2048,
      description: `${description}. 410 once the database has failed over or was restored: start over`,
    }),
  )
const position = Type.Optional(
  Type.String({
    description:
      'the position that a write answered: the report then shows that write, whichever server is read. May also be sent as a ' +
      'header. 410 once the database has failed over or was restored: leave it out then',
  }),
)

const flag = (description: string) => Type.Optional(Type.Enum(['true', 'false'], { description }))
/** Longer than a call may take: events of it may be 90 days apart. */
const MILLISECONDS_MAX = 8_640_000_000
const bound = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: MILLISECONDS_MAX, description }))
const eachGranularity = (what: (of: (typeof ZONED_RANGE)['hour']) => number) =>
  ZONE_GRANULARITIES.map((granularity) => `${what(ZONED_RANGE[granularity])} by the ${granularity}`).join(', ')
const label = Type.Optional(
  Type.Array(Type.String({ minLength: 1, maxLength: 33 + LABEL_BOUNDS.valueMaxLength }), {
    description:
      'calls that have this label: a declared name, a colon and the value, such as `campaign:spring`; `campaign:` for calls ' +
      'without it. Given several times, calls that have all of them',
  }),
)
const STALE =
  'true: calls that have not ended, and started longer ago than calls of the tenant may; false: all others. Unless the tenant ' +
  'has its own time, 24 hours, and until the end of the hour'

/** Which calls are meant. */
const filters = {
  state: Type.Optional(state),
  direction: Type.Optional(direction),
  fromNumber: phoneNumber(`calls from this number, ${NOTATION}`),
  toNumber: phoneNumber(`calls to this number, ${NOTATION}`),
  label,
  answered: flag('true: calls that were ever answered; false: those that were not'),
  stale: flag(STALE),
  talkMinMs: bound('calls that were talked on so many milliseconds or more, from answered to the end'),
  talkMaxMs: bound('calls that were talked on so many milliseconds or fewer'),
  durationMinMs: bound('calls that took so many milliseconds or more, from their start to their end'),
  durationMaxMs: bound('calls that took so many milliseconds or fewer'),
}

export const MetricsQuery = Type.Object(
  {
    granularity: Type.Enum([...ZONE_GRANULARITIES], { description: 'length of a bucket, in the time zone' }),
    from: time(
      `rounded down to a whole bucket; at most ${eachGranularity(({ mostDays }) => mostDays)} days before to. ` +
        `Default: the last ${eachGranularity(({ usual }) => usual)}`,
    ),
    to: time('rounded up to a whole bucket. Default: now'),
    timezone: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description:
          'an IANA name, for example `Europe/Berlin`. Buckets then begin in its local time, which start, from and to give with ' +
          'their offset: a day may have 23 or 25 hours, and an hour that the clocks repeat is there twice. Default: the zone of ' +
          'the tenant, or UTC',
      }),
    ),
    weekStart: Type.Optional(
      Type.Enum([...WEEKDAYS], {
        description: 'first day of a week, with granularity week. Default: monday, as ISO 8601 says',
      }),
    ),
    ...filters,
    groupBy: Type.Optional(
      Type.String({
        maxLength: 40,
        description: 'direction, state, from, to, or a label such as `label:campaign`: the same metrics for each group',
      }),
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: GROUPS_LIMIT.most,
        description: `with groupBy: how many groups, largest first; the others are added up as one more. Default: ${GROUPS_LIMIT.usual}`,
      }),
    ),
    include: Type.Optional(
      Type.Enum(['callers'], { description: 'also how many callers there are, and which calls are their first' }),
    ),
    position,
  },
  { additionalProperties: false },
)

export const CALLS_LIMIT = { most: 200, usual: 50 } as const

export const CallsQuery = Type.Object(
  {
    ...filters,
    startedFrom: time('calls that started at this time or later'),
    startedTo: time('calls that started before this time'),
    order: Type.Optional(
      Type.Enum([...CALLS_ORDERS], {
        default: USUAL_ORDER,
        description:
          'what calls are listed by; with a minus, the latest or longest first. By endedAt are calls that have ended, and by ' +
          'talkMs those that have a talk time',
      }),
    ),
    count: Type.Optional(
      Type.Enum([...COUNT_MODES], {
        default: 'none',
        description:
          `how many calls the whole list has. exact: looks at ${COUNT_AT_MOST.toLocaleString('en')} calls at most, then says that ` +
          'there are at least so many; estimate: exact for 2,000, else from the share of the newest; none: not at all. Ask for it on the ' +
          'first page only',
      }),
    ),
    updatedSince: time(
      'a feed: the calls that have changed since then, and with cursor those that have changed since the page before. Not with ' +
        'order or count. Changes are kept for a week, unless CHANGES_RETENTION_DAYS says otherwise: 410 for those before',
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: CALLS_LIMIT.most,
        default: CALLS_LIMIT.usual,
        description: 'calls on a page. Of an export: the most lines, up to EXPORT_LINES_MAX, which is also the default',
      }),
    ),
    cursor: cursor('nextCursor of the page before, with the same filters'),
    position,
  },
  { additionalProperties: false },
)

export const TIMELINE_LIMIT = { most: 200, usual: 100 } as const

export const TimelineQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: TIMELINE_LIMIT.most,
        default: TIMELINE_LIMIT.usual,
        description: 'events on a page',
      }),
    ),
    cursor: cursor('nextCursor of the page before'),
    position,
  },
  { additionalProperties: false },
)
export const TimelineParams = Type.Object({
  callId: Type.String({ minLength: 1, maxLength: EVENT_BOUNDS.idMaxLength }),
})

const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])
const instant = Type.String({ format: 'date-time' })
const count = (description: string) => Type.Integer({ minimum: 0, description })
const milliseconds = orNull(Type.Integer({ minimum: 0 }))

const provenance = {
  source: Type.Enum(['replica', 'primary', 'cache'], { description: 'where it was read' }),
  asOf: Type.String({ format: 'date-time', description: 'everything that was committed by then is in the report' }),
}

const durations = (description: string) =>
  Type.Object(
    {
      count: count('calls that have this duration'),
      averageMs: milliseconds,
      p50Ms: milliseconds,
      p95Ms: milliseconds,
      p99Ms: milliseconds,
    },
    { description: `${description}. Percentiles are within 1 % of the exact ones; null without calls` },
  )

const counts = {
  calls: count('calls that started in the bucket'),
  connected: count('those that were ever answered'),
  inbound: count('those that are inbound'),
  outbound: count('those that are outbound'),
  states: Type.Object(Object.fromEntries(CALL_STATES.map((s) => [s, count(`those in the state ${s}`)])), {
    description: 'the same calls by the state they are in now',
  }),
  stale: count(
    'those that have not ended, and started longer ago than calls of the tenant may: before an hour that is that long over. They are ' +
      'counted in states, too',
  ),
}
const average = Type.Object({ count: Type.Integer({ minimum: 0 }), averageMs: milliseconds })
const byCaller = {
  firstTime: count('calls that are the first of their number in all the calls that are kept'),
  repeat: count('those from a number that had called before'),
}
const distinct = count('numbers that called')
const callers = Type.Optional(
  Type.Object(byCaller, { description: 'With include=callers: of the calls that have a `from` and are not outbound' }),
)
const callersOfAll = Type.Optional(Type.Object({ distinct, ...byCaller }))

const measures = {
  ...counts,
  ring: durations('From the first of initiated and ringing to answered'),
  talk: durations('From answered to the end'),
}

export const MetricsAnswer = Type.Object({
  ...provenance,
  granularity: Type.Enum([...ZONE_GRANULARITIES]),
  timezone: Type.Optional(
    Type.String({ description: 'the time zone; absent for hours and days of UTC when no zone was asked for or set' }),
  ),
  weekStart: Type.Optional(Type.Enum([...WEEKDAYS], { description: 'only with granularity week' })),
  from: instant,
  to: instant,
  totals: Type.Object(
    { ...measures, callers: callersOfAll },
    { description: 'of the whole range; its percentiles are of all its calls' },
  ),
  buckets: Type.Array(Type.Object({ start: instant, ...measures, callers }), {
    description: 'every bucket from `from` until before `to`, also those without calls',
  }),
  groupBy: Type.Optional(Type.String()),
  groups: Type.Optional(
    Type.Array(
      Type.Object({
        group: Type.Enum(['value', 'none', 'rest'], {
          description: 'calls with the value `key`; calls without any; all the groups beyond `limit`, which come last',
        }),
        key: orNull(Type.String()),
        groups: Type.Optional(count('how many groups the rest is of')),
        ...measures,
        callers: callersOfAll,
        buckets: Type.Array(Type.Object({ start: instant, ...counts, ring: average, talk: average, callers }), {
          description: 'those with calls',
        }),
      }),
      {
        description:
          'With groupBy: the largest first. Their counts add up to the totals; percentiles and distinct callers do not',
      },
    ),
  ),
})

const normalNumber = orNull(
  Type.String({
    description: 'a number with its country as + and digits, however it was sent; anything else as it was sent',
  }),
)
const Call = Type.Object({
  callId: Type.String(),
  sequence: orNull(
    Type.Integer({
      minimum: 1,
      description:
        'how many events it has: the sequence of its latest live message. It grows with every change. null: last written before that was counted',
    }),
  ),
  state,
  direction: orNull(direction),
  from: normalNumber,
  to: normalNumber,
  startedAt: instant,
  initiatedAt: orNull(instant),
  ringingAt: orNull(instant),
  answeredAt: orNull(instant),
  endedAt: orNull(instant),
  updatedAt: instant,
  ringMs: milliseconds,
  talkMs: milliseconds,
  durationMs: orNull(Type.Integer({ minimum: 0, description: 'from its start to its end' })),
  stale: Type.Boolean({ description: 'it has not ended, and started too long ago to be still going on' }),
  labels: Type.Record(Type.String(), Type.String(), { description: 'as its events give them; empty without any' }),
})

export const CallsAnswer = Type.Object({
  ...provenance,
  count: Type.Optional(
    Type.Object(
      {
        value: count('calls of the whole list'),
        is: Type.Enum(['exact', 'at-least', 'estimate']),
      },
      { description: 'only if asked for' },
    ),
  ),
  calls: Type.Array(Call, {
    description: 'newest first, or as order says; of a feed, in the order in which they changed',
  }),
  nextCursor: orNull(
    Type.String({ description: 'asks for the next page; null on the last one, and never null with updatedSince' }),
  ),
  more: Type.Optional(
    Type.Boolean({
      description: 'only with updatedSince: whether there is more already, so that it is worth to ask at once',
    }),
  ),
})

export const TimelineAnswer = Type.Object({
  ...provenance,
  call: Call,
  events: Type.Array(
    Type.Object({
      eventId: Type.String(),
      state,
      outcome: Type.Enum(EVENT_OUTCOMES.filter((outcome) => outcome !== 'duplicate')),
      occurredAt: instant,
      receivedAt: instant,
      direction: orNull(direction),
      from: orNull(Type.String({ description: 'as it was sent' })),
      to: orNull(Type.String()),
      labels: Type.Record(Type.String(), Type.String()),
      corrects: Type.Boolean({ description: 'its final state replaces the one that the call ended with' }),
      metadata: orNull(Type.Record(Type.String(), Type.Unknown())),
    }),
    { description: 'in the order they occurred, a page at a time' },
  ),
  nextCursor: orNull(Type.String({ description: 'asks for the next page; null on the last one' })),
})
