/** Call events and their answers as JSON Schema, for the OpenAPI document and for fast answers. */
import {
  CALL_DIRECTIONS,
  CALL_STATES,
  EVENT_BOUNDS,
  EVENT_OUTCOMES,
  EVENT_TEXT_PATTERN,
  LABEL_BOUNDS,
} from '@hopwhistle/contract/calls.ts'
import { Type } from 'typebox'
import { ProblemSchema } from '../errors/problem-schema.ts'

const id = (description: string) =>
  Type.String({ minLength: 1, maxLength: EVENT_BOUNDS.idMaxLength, pattern: EVENT_TEXT_PATTERN, description })
/** Left out, or null: the same. */
const optional = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Optional(Type.Union([schema, Type.Null()]))
const phoneNumber = (whose: string) =>
  Type.String({
    minLength: 1,
    maxLength: EVENT_BOUNDS.phoneNumberMaxLength,
    pattern: EVENT_TEXT_PATTERN,
    description: `${whose}: a telephone number in any notation, a SIP URI, the name of a client, anonymous. Kept as given; a call has it in its normal form: +49 30 1234 and tel:+49-30-1234 are +49301234`,
    examples: ['+14155550100'],
  })

export const CallEventSchema = Type.Object(
  {
    eventId: id('unique within the tenant; sending it again with the same content changes nothing'),
    callId: id(`the call it belongs to, which may have ${EVENT_BOUNDS.eventsPerCall} events`),
    state: Type.Enum([...CALL_STATES], {
      description: 'of several final states of a call, the one that occurred first stands',
    }),
    occurredAt: Type.String({
      format: 'date-time',
      description: 'RFC 3339 with an offset; at most 90 days ago and 5 minutes ahead; kept to the millisecond',
    }),
    direction: optional(Type.Enum([...CALL_DIRECTIONS])),
    from: optional(phoneNumber('who calls')),
    to: optional(phoneNumber('who is called')),
    corrects: optional(
      Type.Boolean({
        description:
          'true: its final state replaces the one that the call ended with; of several corrections the one that occurred last stands',
      }),
    ),
    labels: optional(
      Type.Record(
        Type.String({ pattern: LABEL_BOUNDS.namePattern }),
        Type.Union([
          Type.String({ minLength: 1, maxLength: LABEL_BOUNDS.valueMaxLength, pattern: EVENT_TEXT_PATTERN }),
          Type.Null(),
        ]),
        {
          maxProperties: LABEL_BOUNDS.max,
          description:
            'campaign, source, agent … of the call, under names that the tenant has declared (PUT /api/v1/labels). Of several ' +
            'events that give a label, the one that occurred last stands; at the same millisecond, the greater text',
          examples: [{ campaign: 'spring', source: 'search' }],
        },
      ),
    ),
    metadata: optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: `at most ${EVENT_BOUNDS.metadataMaxBytes} bytes of JSON, and ${EVENT_BOUNDS.metadataStoredMaxBytes} with its numbers written out: 1e308 has 309 digits. Numbers keep every digit; the order of keys does not matter`,
      }),
    ),
  },
  { additionalProperties: false },
)

const outcome = Type.Enum([...EVENT_OUTCOMES], {
  description:
    'applied: its call has its state now; late: kept, but the call was already further; duplicate: it was stored before',
})
const position = Type.String({
  description:
    'opaque: send it with a report that must show this event. Good until the database fails over or is restored',
  examples: ['AVC2AZkAAAAABaPB-Grl0hdPLWX_'],
})

export const ReceiptSchema = Type.Object({
  eventId: Type.String(),
  callId: Type.String(),
  outcome,
  callState: Type.Enum([...CALL_STATES], { description: 'the state of the call as of this commit' }),
  position,
})

export const CallEventsSchema = Type.Object(
  { events: Type.Array(CallEventSchema, { minItems: 1, maxItems: EVENT_BOUNDS.batchMax }) },
  { additionalProperties: false },
)

export const EventResultsSchema = Type.Object({
  results: Type.Array(
    Type.Object({
      eventId: Type.Optional(Type.String()),
      status: Type.Integer({ description: 'what the event alone would have been answered' }),
      outcome: Type.Optional(outcome),
      callState: Type.Optional(Type.Enum([...CALL_STATES])),
      problem: Type.Optional(ProblemSchema),
    }),
    { description: 'one for each event, in the order given' },
  ),
  position: Type.Optional(position),
})
