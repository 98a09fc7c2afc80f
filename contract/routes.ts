/** Every path of the API, and the headers that carry meaning of ours. */
export const ROUTES = {
  demoCallEvent: '/api/v1/demo/events/call',
  callEvent: '/api/v1/events/call',
  callEvents: '/api/v1/events/calls',
  /** Callbacks of providers: the last part says whose they are. */
  eventsFromTwilio: '/api/v1/events/from/twilio/:callback',
  eventsFromTelnyx: '/api/v1/events/from/telnyx/:callback',
  /** Call detail records of a switch, with a key. */
  eventsFromSipCdr: '/api/v1/events/from/sip-cdr',
  call: '/api/v1/calls/:callId',
  reportMetrics: '/api/v1/reporting/metrics',
  reportCalls: '/api/v1/reporting/calls',
  live: '/api/v1/live',
  /** A key makes a short-lived token here, for a page. */
  tokens: '/api/v1/tokens',
  /** The names under which a tenant's events may carry labels. */
  labels: '/api/v1/labels',
  webhooks: '/api/v1/webhooks',
  webhook: '/api/v1/webhooks/:webhookId',
  webhookSecret: '/api/v1/webhooks/:webhookId/secret',
  webhookTest: '/api/v1/webhooks/:webhookId/test',
  webhookReplay: '/api/v1/webhooks/:webhookId/replay',
  webhookDeliveries: '/api/v1/webhooks/:webhookId/deliveries',
  health: '/health',
  livez: '/livez',
  readyz: '/readyz',
  metrics: '/metrics',
  openapi: '/openapi.json',
  docs: '/docs',
} as const

export const HEADERS = {
  /** The API key; `Authorization: Bearer` works as well. */
  apiKey: 'x-api-key',
  /** Optional: the tenant that the caller believes it is; 403 when the key is another's. */
  tenantId: 'x-tenant-id',
  /** Answered by writes, and sent with a report that must not be older than that write. */
  position: 'x-hopwhistle-position',
  /** Of an export, which has no place for them in its lines: what `asOf` and `source` are in the JSON of a report. */
  asOf: 'x-hopwhistle-as-of',
  source: 'x-hopwhistle-source',
  requestId: 'x-request-id',
} as const

/** What a key may do. */
export const SCOPES = ['events:write', 'reports:read', 'live:read', 'webhooks:write'] as const
export type Scope = (typeof SCOPES)[number]

export const DEFAULT_PORT = 3001
