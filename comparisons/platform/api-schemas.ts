import { ROUTES } from '@hopwhistle/contract/routes.ts'
import type { EventSchemas } from '../servers/event-route.ts'

type Content = { readonly content: { readonly 'application/json': { readonly schema: object } } }
type OpenApi = {
  readonly paths: Readonly<
    Record<
      string,
      { readonly post: { readonly requestBody: Content; readonly responses: Readonly<Record<string, Content>> } }
    >
  >
}

/** The schemas of a call event and its answer, from the API's OpenAPI document. */
export async function readEventSchemas(apiUrl: string): Promise<EventSchemas> {
  const response = await fetch(`${apiUrl}${ROUTES.openapi}`)
  const { paths } = (await response.json()) as OpenApi
  const { requestBody, responses } = paths[ROUTES.callEvent]!.post
  return {
    body: requestBody.content['application/json'].schema,
    answer: responses['201']!.content['application/json'].schema,
  }
}
