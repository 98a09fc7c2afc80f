import { Type } from 'typebox'

/** The body of every error (RFC 9457). */
export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'stable, for programs to act on' }),
    detail: Type.String({ description: 'what was given and what was expected' }),
    errors: Type.Optional(Type.Array(Type.Object({ field: Type.String(), message: Type.String() }))),
    requestId: Type.Optional(Type.String()),
  },
  { description: 'problem+json' },
)

/** The errors of a route for its OpenAPI description: `response: { 200: …, ...problems(400, 409) }`. */
export function problems<const S extends number>(...statuses: readonly S[]) {
  const all = [...statuses, 401, 403, 408, 429, 500, 503] as const
  return Object.fromEntries(
    all.map((status) => [
      status,
      {
        description: DESCRIPTIONS[status] ?? 'Problem',
        content: { 'application/problem+json': { schema: ProblemSchema } },
      },
    ]),
  )
}

const DESCRIPTIONS: Readonly<Record<number, string>> = {
  400: 'Malformed request; `errors` names the fields',
  401: 'No valid API key',
  403: 'Another tenant, or the key lacks the scope',
  404: 'No such thing, as far as this tenant can see',
  406: 'None of what the header accept names is offered',
  408: 'The request did not arrive in time',
  409: 'The event id was used for other content, or there are too many',
  410: 'Of an earlier database, or no longer kept',
  413: 'Body too large',
  415: 'Not JSON',
  422: 'A time out of range',
  426: 'Only as a WebSocket',
  429: 'Over the rate or the share of the tenant; see Retry-After',
  500: 'Internal error',
  501: 'Off on this platform',
  503: 'At a limit or shutting down; see Retry-After',
}
