import { ROUTES } from '../../contract/routes.ts'
import type { ParsedConnection } from './connection.ts'
import type { paths } from './openapi.ts'

type ListOfCalls = paths['/api/v1/reporting/calls']['get']
type Query = NonNullable<ListOfCalls['parameters']['query']>
export type CallsAnswer = ListOfCalls['responses'][200]['content']['application/json']
/** A call, as in the list of calls. */
export type Call = CallsAnswer['calls'][number]
/** The filters of the list of calls, and its order. */
export type CallsFilter = Omit<Query, 'limit' | 'cursor' | 'count' | 'updatedSince'>

/** The list of calls with a query. What is undefined is left out; of a list, each is a parameter. */
export function callsUrl({ baseUrl }: ParsedConnection, query: Query): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) if (one !== undefined) parameters.append(name, String(one))
  }
  return `${baseUrl}${ROUTES.reportCalls}?${parameters}`
}
