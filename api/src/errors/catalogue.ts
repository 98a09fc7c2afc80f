/** Every error that the API answers, once. `docs/errors.md` lists the same, tested. */
import { CALL_STATES } from '@hopwhistle/contract/calls.ts'
import type { FieldError, Problem } from './problem.ts'
import { problem } from './problem.ts'

export const InvalidRequest = problem('invalid-request', 400, 'Invalid request', (errors: readonly FieldError[]) => [
  errors.map((e) => `${e.field} ${e.message}`).join('; '),
  { errors },
])

export const MalformedBody = problem(
  'malformed-body',
  400,
  'Malformed body',
  (what: string) => `the body is ${what}; it must be a JSON object`,
)

export const MalformedRequest = problem(
  'malformed-request',
  400,
  'Malformed request',
  (what: string) => `${what}; it must follow HTTP/1.1 (RFC 9112)`,
)

export const UnknownState = problem('unknown-state', 400, 'Unknown call state', (given: string) => {
  const message = `is "${given}"; it may be ${CALL_STATES.join(', ')}`
  return [`state ${message}`, { errors: [{ field: 'state', message }] }]
})

export const InvalidCursor = problem('invalid-cursor', 400, 'Invalid cursor', (why: string) => [
  `cursor ${why}; send the nextCursor of the page before, with the same filters`,
  { errors: [{ field: 'cursor', message: why }] },
])

export const InvalidPosition = problem('invalid-position', 400, 'Invalid position token', () => [
  'position is not a token from the response to a write; send that token unchanged, or leave it out',
  { errors: [{ field: 'position', message: 'is not a token from the response to a write' }] },
])

export const Unauthorized = problem(
  'unauthorized',
  401,
  'No valid API key',
  () =>
    'send an API key in the header x-api-key, or as Authorization: Bearer; it is missing, unknown, expired or revoked',
)

export const ForbiddenTenant = problem(
  'forbidden-tenant',
  403,
  'Not your tenant',
  () => 'the header x-tenant-id names another tenant than the one the API key belongs to; leave it out or correct it',
)

export const MissingScope = problem(
  'missing-scope',
  403,
  'The key may not do this',
  (scope: string) => `this route needs an API key with the scope ${scope}`,
)

export const KeyRequired = problem(
  'key-required',
  403,
  'A token cannot do this',
  () => 'a token cannot make another one; send an API key',
)

export const WrongSignature = problem(
  'wrong-signature',
  403,
  'Wrong signature',
  (why: string) => `the callback does not have a valid signature of its provider: ${why}`,
)

export const UnknownCallback = problem(
  'unknown-callback',
  404,
  'No such callback',
  () => 'this provider has no such callback, or it was ended; npm run tenants -- providers add creates one',
)

export const CallNotFound = problem('call-not-found', 404, 'No such call', () => 'there is no call with this id')

export const WebhookNotFound = problem(
  'webhook-not-found',
  404,
  'No such webhook',
  () => 'there is no webhook with this id',
)

export const RouteNotFound = problem('route-not-found', 404, 'No such route', () => 'there is no such route; see /docs')

export const MethodNotAllowed = problem(
  'method-not-allowed',
  405,
  'Method not allowed',
  (given: string, allowed: string) => `this route does not accept ${given}; it may be ${allowed}`,
)

export const NotAcceptable = problem(
  'not-acceptable',
  406,
  'Type not offered',
  (given: string, offered: readonly string[]) =>
    `the header accept is ${JSON.stringify(given)}; this route offers ${offered.join(', ')}`,
)

export const RequestIncomplete = problem(
  'request-incomplete',
  408,
  'Request did not arrive',
  (limitMs: number) =>
    `the whole request did not arrive within ${limitMs} ms; send all of it, and as many bytes as its Content-Length says`,
)

export const EventConflict = problem(
  'event-conflict',
  409,
  'Event id already used',
  (eventId: string) =>
    `event ${JSON.stringify(eventId)} was stored before with other content; an event never changes, so send a new event id`,
)

export const TooManyWebhooks = problem(
  'too-many-webhooks',
  409,
  'Too many webhooks',
  (limit: number) => `the tenant has ${limit} webhooks, which is the limit; change or delete one`,
)

export const OffsetGone = problem(
  'offset-gone',
  410,
  'Offset no longer kept',
  () => 'this offset is older than the events that are kept for replay; use a later one',
)

export const BodyTooLarge = problem(
  'body-too-large',
  413,
  'Body too large',
  (limitBytes: number) => `the body is longer than ${limitBytes} bytes; send fewer events at once`,
)

export const UnsupportedMediaType = problem(
  'unsupported-media-type',
  415,
  'Unsupported media type',
  () => 'send the body as application/json or application/*+json in UTF-8, not compressed or in gzip',
)

export const ExpectationFailed = problem(
  'expectation-failed',
  417,
  'Expectation failed',
  (given: string) => `the header expect is ${JSON.stringify(given)}; it may be 100-continue, or left out`,
)

export const TimeOutOfRange = problem(
  'time-out-of-range',
  422,
  'Time out of range',
  (field: string, given: string, expected: string) => {
    const message = `is ${given}; it must be ${expected}`
    return [`${field} ${message}`, { errors: [{ field, message }] }]
  },
)

export const UnknownTimeZone = problem(
  'unknown-time-zone',
  422,
  'Unknown time zone',
  (field: string, given: string) => {
    const message = `is ${JSON.stringify(given)}; it must be an IANA name such as Europe/Berlin`
    return [`${field} ${message}`, { errors: [{ field, message }] }]
  },
)

export const LabelsRefused = problem('labels-refused', 422, 'Labels refused', (errors: readonly FieldError[]) => [
  errors.map((e) => `${e.field} ${e.message}`).join('; '),
  { errors },
])

export const ReportTooLarge = problem('report-too-large', 422, 'Report too large', (why: string) => why)

export const EventKeptAside = problem('event-kept-aside', 422, 'Event kept aside', (outOfRange: Problem) => [
  `${outOfRange.message}. The event is kept aside, in no call and no report`,
  outOfRange.errors === undefined ? {} : { errors: outOfRange.errors },
])

export const CallFull = problem(
  'call-full',
  422,
  'Call has too many events',
  (callId: string, most: number) =>
    `call ${JSON.stringify(callId)} has ${most} events, which is the limit; give another call an id of its own`,
)

export const UpgradeRequired = problem(
  'upgrade-required',
  426,
  'WebSocket only',
  () => 'this route speaks WebSocket; connect with Upgrade: websocket, see docs/live-protocol.md',
)

const REMEDY = {
  cursor: 'start again without one',
  position: 'leave it out, and see whether the write is still there',
  offset: 'use one from the deliveries of the webhook',
} as const

export const TokenOutdated = problem(
  'token-outdated',
  410,
  'Token of an earlier database',
  (field: 'cursor' | 'position' | 'offset') => {
    const message = 'is from before the database failed over or was restored'
    return [`${field} ${message}; ${REMEDY[field]}`, { errors: [{ field, message }] }]
  },
)

export const ChangesForgotten = problem(
  'changes-forgotten',
  410,
  'Changes no longer kept',
  (field: 'cursor' | 'updatedSince') => {
    const message = 'is from before the oldest change that is kept'
    return [
      `${field} ${message}; read all calls again, then ask for changes since you began to read them`,
      { errors: [{ field, message }] },
    ]
  },
)

export const HeadersTooLarge = problem(
  'headers-too-large',
  431,
  'Headers too large',
  (limitBytes: number) =>
    `the request line and its headers are longer than ${limitBytes} bytes; send fewer or shorter ones`,
)

export const RateLimited = problem(
  'rate-limited',
  429,
  'Too many events',
  ({ of, ratePerSecond, waitSeconds }: { of: 'tenant' | 'key'; ratePerSecond: number; waitSeconds: number }) => [
    `the ${of} is allowed ${ratePerSecond} events a second over all instances, and any other request counts as one`,
    { retryAfterSeconds: waitSeconds },
  ],
)

export const OverShare = problem(
  'over-share',
  429,
  'Over your share',
  (of: string) => `the tenant has so many ${of} on this instance that the rest is kept for other tenants; try again`,
  1,
)

export const MemoryFull = problem(
  'memory',
  503,
  'Instance is full',
  () => 'the requests of this instance use all memory that it has for them; try again',
  1,
)

export const TooManyTokens = problem(
  'too-many-tokens',
  429,
  'Too many tokens',
  (limit: number) =>
    `the key has ${limit} tokens that are still valid, which is the limit; use one for longer, or wait until some expire`,
  60,
)

export const TooManyExports = problem(
  'too-many-exports',
  429,
  'Too many exports',
  (whose: 'the tenant' | 'this instance', limit: number) =>
    `${whose} already makes ${limit === 1 ? 'one export' : `${limit} exports`} here, which is the most at a time; try again`,
  5,
)

export const TooManyRequests = problem(
  'requests-in-flight',
  503,
  'Instance is full',
  (limit: number) => `this instance already serves ${limit} requests; try again`,
  1,
)

export const IngestOverloaded = problem(
  'ingest-overloaded',
  503,
  'Ingest queue is full',
  (limit: number) => `${limit} events are waiting to be committed; send it again, with the same event id`,
  1,
)

export const TooManySockets = problem(
  'websockets',
  503,
  'Instance is full',
  (limit: number) => `this instance already serves ${limit} WebSockets; connect again`,
  1,
)

export const DatabaseUnavailable = problem(
  'database-unavailable',
  503,
  'Database unavailable',
  (cause?: unknown) => [
    'the database did not answer; send it again, with the same event id if it is an event',
    cause === undefined ? {} : { cause },
  ],
  1,
)

export const ExportUnavailable = problem(
  'export-unavailable',
  503,
  'Export unavailable',
  (cause?: unknown) => [
    'exports read the replica, which is away or too far behind; try again',
    cause === undefined ? {} : { cause },
  ],
  5,
)

export const LiveUnavailable = problem(
  'live-unavailable',
  503,
  'Live delivery unavailable',
  () => 'live delivery is not available right now; connect again',
  2,
)

export const RequestTimeout = problem(
  'request-timeout',
  503,
  'Request took too long',
  (limitMs: number) => `the request was not answered within ${limitMs} ms`,
  1,
)

export const ShuttingDown = problem(
  'shutting-down',
  503,
  'Instance is shutting down',
  () => 'this instance is shutting down; send it again',
  1,
)

export const WebhooksOff = problem(
  'webhooks-off',
  501,
  'Webhooks are off',
  () => 'the operator of the platform has not turned webhooks on (WEBHOOK_KEYS)',
)

export const Internal = problem(
  'internal',
  500,
  'Internal error',
  () => 'something went wrong here; the request id finds it in the log',
)
