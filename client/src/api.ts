import createFetchClient, { type Client } from 'openapi-fetch'
import { type Connection, parseConnection } from './connection.ts'
import type { paths } from './openapi.ts'

/** Of reports, which come in several types, this asks for JSON; `exportCalls` reads lines. */
type Answers = 'application/json' | 'application/problem+json'
export type Api = Client<paths, Answers>

/**
 * Calls to every route, with the types of the OpenAPI document. One call is one request: nothing is tried again.
 *
 * ```ts
 * const api = createApi({ url: 'https://calls.example.com', apiKey })
 * const { data, error } = await api.GET('/api/v1/calls/{callId}', { params: { path: { callId: 'c-1' } } })
 * if (error) throw new Error(error.detail)
 * console.log(data.call.state)
 * ```
 */
export function createApi(connection: Connection): Api {
  const { baseUrl, headers, fetch } = parseConnection(connection)
  return createFetchClient<paths, Answers>({ baseUrl, headers, fetch })
}
