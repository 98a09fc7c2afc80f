/** The calls list on its first page and its ten-thousandth, under every filter. */
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { withClient } from '@hopwhistle/platform/stack/with-client.ts'
import type { Client } from 'pg'
import { median } from '../arithmetic.ts'
import { openTimedClient, type TimedClient } from '../measure/timed-get.ts'
import type { PartOptions } from '../parts.ts'
import { HEADERS_OF_KEY, TENANT_ID } from '../platform/key.ts'
import type { ReportsPlatform } from './reports-platform.ts'
import { getUncached } from './uncached.ts'

/** Milliseconds for a page: the median of a turn, one value per round. */
export type PagesOfFilter = {
  readonly filter: string
  /** Calls on a page. */
  readonly limit: number
  readonly deepPage: number
  readonly first: readonly number[]
  readonly deep: readonly number[]
}

const DEEP_PAGE = 10_000
const USUAL_LIMIT = 25
const WALK_LIMIT = 200
const PAGES_OF_A_TURN = { usual: 15, quick: 2 }

export async function measurePages(
  { large }: ReportsPlatform,
  { rounds, quick, terminal, signal }: PartOptions,
): Promise<readonly PagesOfFilter[]> {
  const deepest = quick ? 100 : DEEP_PAGE
  const filters = await withClient(large.database.ownerReplica, findFilters)
  const client = openTimedClient(large.api.port, HEADERS_OF_KEY)
  try {
    const places: (PagesOfFilter & { cursor: string | undefined; first: number[]; deep: number[] })[] = []
    for (const { filter, calls } of filters) {
      signal.throwIfAborted()
      // If there are too few calls for so many pages, pages are smaller; if still too few, there are fewer pages.
      const limit = Math.max(1, Math.min(USUAL_LIMIT, Math.floor((calls - 1) / deepest)))
      const deepPage = Math.max(1, Math.min(deepest, Math.floor((calls - 1) / limit)))
      const walking = `reports, calls list: walking down ${filter || 'all calls'}`
      const cursor = await terminal.during(walking, () => walk(client, filter, (deepPage - 1) * limit))
      places.push({ filter, limit, deepPage, cursor, first: [], deep: [] })
    }
    for (let round = 0; round < rounds; round++) {
      signal.throwIfAborted()
      await terminal.during(`reports, calls list: round ${round + 1} of ${rounds}`, async () => {
        for (const place of places) {
          const first = `${pathOf(place.filter)}&limit=${place.limit}`
          const deep = place.cursor === undefined ? first : `${first}&cursor=${encodeURIComponent(place.cursor)}`
          const taken: [number[], number[]] = [[], []]
          // Alternating, so that both run under the same conditions.
          for (let i = 0; i < PAGES_OF_A_TURN[quick ? 'quick' : 'usual']; i++) {
            for (const [which, path] of [first, deep].entries()) {
              taken[which]!.push((await getUncached(large, client, path)).ms)
            }
          }
          place.first.push(median(taken[0]))
          place.deep.push(median(taken[1]))
        }
      })
    }
    return places.map(({ cursor: _, ...measured }) => measured)
  } finally {
    client.close()
  }
}

const pathOf = (filter: string): string => `${ROUTES.reportCalls}?${filter}`

/** @returns the cursor after this many calls; undefined for 0 */
async function walk(client: TimedClient, filter: string, calls: number): Promise<string | undefined> {
  let cursor: string | undefined
  for (let passed = 0; passed < calls; ) {
    const limit = Math.min(WALK_LIMIT, calls - passed)
    const after = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const { body } = await client.get(`${pathOf(filter)}&limit=${limit}${after}`)
    cursor = (JSON.parse(body) as { readonly nextCursor?: string | null }).nextCursor ?? undefined
    passed += limit
    if (cursor === undefined) throw new Error(`the list ${filter} ended after ${passed} calls, before ${calls}`)
  }
  return cursor
}

type FoundFilter = { readonly filter: string; readonly calls: number }

/** Every filter of the list, alone and combined with others, with the numbers that have most calls. */
async function findFilters(client: Client): Promise<readonly FoundFilter[]> {
  const busiest = async (column: string, condition = 'true') => {
    const { rows } = await client.query<{ number: string }>(
      `select ${column} as number from hopwhistle.calls where tenant_id = $1 and ${column} is not null and ${condition}
       group by 1 order by count(*) desc, 1 limit 1`,
      [TENANT_ID],
    )
    return rows[0]!.number
  }
  const from = await busiest('from_number')
  const to = await busiest('to_number')
  const toOfFrom = await busiest('to_number', `from_number = ${client.escapeLiteral(from)}`)
  const number = (value: string) => encodeURIComponent(value)
  const since = new Date(Date.now() - 29 * 24 * 3_600_000).toISOString()
  const until = new Date(Date.now() - 3_600_000).toISOString()
  const conditions: readonly (readonly [filter: string, condition: string, ...values: unknown[]])[] = [
    ['', 'true'],
    [`startedFrom=${since}&startedTo=${until}`, 'started_at >= $2 and started_at < $3', since, until],
    ['state=COMPLETED', 'final_state = 3'],
    ['state=FAILED', 'final_state = 6'],
    ['state=RINGING', 'state = 1'],
    ['direction=inbound', 'direction = 0'],
    ['state=COMPLETED&direction=outbound', 'final_state = 3 and direction = 1'],
    [`fromNumber=${number(from)}`, 'from_number = $2', from],
    [`toNumber=${number(to)}`, 'to_number = $2', to],
    [`fromNumber=${number(from)}&state=COMPLETED`, 'from_number = $2 and final_state = 3', from],
    [`toNumber=${number(to)}&direction=inbound`, 'to_number = $2 and direction = 0', to],
    ['order=startedAt', 'true'],
    ['order=-endedAt', 'ended_at is not null'],
    ['order=-talkMs', 'talk_ms is not null'],
    ['answered=true', 'answered_at is not null'],
    ['talkMinMs=60000', 'talk_ms >= 60000'],
    [`fromNumber=${number(from)}&toNumber=${number(toOfFrom)}`, 'from_number = $2 and to_number = $3', from, toOfFrom],
  ]
  const found: FoundFilter[] = []
  for (const [filter, condition, ...values] of conditions) {
    const { rows } = await client.query<{ calls: number }>(
      `select count(*)::int as calls from hopwhistle.calls where tenant_id = $1 and ${condition}`,
      [TENANT_ID, ...values],
    )
    found.push({ filter, calls: rows[0]!.calls })
  }
  return found
}
