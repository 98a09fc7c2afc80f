import { ROUTES } from '@hopwhistle/contract/routes.ts'

const HOUR_MS = 3_600_000

/** What a page of the documentation fills in, and sends as it is. */
export function exampleEvent(nowMs: number) {
  const hour = new Date(Math.floor(nowMs / HOUR_MS) * HOUR_MS).toISOString()
  const id = hour.slice(0, 13)
  return { eventId: `example-${id}`, callId: `example-${id}`, state: 'RINGING', occurredAt: hour } as const
}

const ofWebhook = (route: string) => route.replace(':webhookId', '{webhookId}')

type Operation = { requestBody?: { content: Record<string, { example?: unknown }> }; parameters?: Parameter[] }
type Parameter = { name: string; in: string; example?: unknown }

/**
 * Adds examples that work to an OpenAPI document that is being served: an event may not be older than 90 days, so a
 * written one would not work for long. All of an hour's are the same event, so that sending it again is a duplicate.
 */
export function withExamples<D extends object>(document: D, nowMs: number): D {
  const { paths } = document as {
    paths: Record<string, { get?: Operation; post?: Operation; put?: Operation; patch?: Operation }>
  }
  const event = exampleEvent(nowMs)
  const { callId, occurredAt } = event
  const parties = { from: '+14155550100', to: 'sip:bob@example.com' }
  const cdr = { call_id: `${callId}-cdr`, ...parties, start: occurredAt, end: occurredAt, sip_code: 486 }
  for (const [path, example] of [
    [ROUTES.callEvent, event],
    [ROUTES.demoCallEvent, event],
    [ROUTES.callEvents, { events: [event] }],
    [ROUTES.labels, { labels: ['campaign', 'source', 'agent'] }],
    [ROUTES.webhooks, { url: 'https://example.com/calls', patterns: ['call.*'] }],
    [ofWebhook(ROUTES.webhook), { enabled: true }],
    [ofWebhook(ROUTES.webhookSecret), { overlapSeconds: 86_400 }],
    [ofWebhook(ROUTES.webhookReplay), { after: 'an offset' }],
    [ROUTES.eventsFromTwilio.replace(':callback', '{callback}'), {}],
    [ROUTES.eventsFromTelnyx.replace(':callback', '{callback}'), {}],
    [ROUTES.eventsFromSipCdr, cdr],
    [ROUTES.tokens, { scopes: ['live:read'], seconds: 300 }],
  ] as const) {
    const { post, put, patch } = paths[path] ?? {}
    const json = (post ?? put ?? patch)?.requestBody?.content['application/json']
    if (json !== undefined) json.example = example
  }
  for (const each of paths[ROUTES.call.replace(':callId', '{callId}')]?.get?.parameters ?? []) {
    if (each.name === 'callId') each.example = event.callId
  }
  return document
}
