/** What a tenant may do with its webhooks. Every change is committed as an event is, and audited with the key that made it. */
import { randomUUID } from 'node:crypto'
import type { Pool } from 'pg'
import type { Shares } from '../access/shares.ts'
import type { Turns } from '../access/turns.ts'
import {
  DatabaseUnavailable,
  InvalidRequest,
  OffsetGone,
  OverShare,
  TokenOutdated,
  TooManyWebhooks,
  WebhookNotFound,
} from '../errors/catalogue.ts'
import { queryReplicated } from '../postgres/replicated.ts'
import type { Tokens } from '../postgres/tokens.ts'
import type { Addresses } from './addresses.ts'
import { messageId, type Offset, offsetPurpose, packOffset, unpackOffset } from './message.ts'
import type { Secrets } from './secrets.ts'
import type { Attempt, Sender } from './sender.ts'
import type { RecentAttempt } from './store.ts'

export type ManageDependencies = {
  readonly db: Pick<Pool, 'connect' | 'query'>
  readonly tokens: Pick<Tokens, 'ready' | 'seal' | 'open'>
  readonly secrets: Secrets
  readonly addresses: Addresses
  readonly shares: Shares
  /** Tenants take turns with `db`. */
  readonly turns: Turns
  readonly newSender: () => Sender
  readonly onChanged: () => void
}

/** Who asks: its tenant, and the key for the audit. */
export type Asker = { readonly tenantId: string; readonly keyId: string }

export type NewWebhook = {
  readonly url: string
  readonly patterns: readonly string[]
  readonly description?: string
}
export type WebhookChange = Partial<NewWebhook> & { readonly enabled?: boolean }

export type WebhookView = {
  readonly id: string
  readonly url: string
  readonly patterns: readonly string[]
  readonly description: string | null
  readonly state: 'active' | 'paused' | 'disabled'
  readonly disabledBecause: string | null
  readonly createdAt: string
  readonly deliveredAt: string | null
  readonly failingSince: string | null
  readonly retryAt: string | null
  /** Everything up to here is delivered, given up, or waits for another attempt. */
  readonly offset: string
}
export type DeliveryView = Omit<RecentAttempt, keyof Offset> & { readonly offset: string }
export type NewSecret = { readonly secret: string; readonly previousUntil: string | null }

export type Manage = {
  /** @throws {InvalidRequest | TooManyWebhooks} */
  make(by: Asker, given: NewWebhook): Promise<WebhookView & { readonly secret: string }>
  list(tenantId: string): Promise<readonly WebhookView[]>
  /** This and all of the following: @throws {WebhookNotFound} */
  find(tenantId: string, id: string): Promise<WebhookView>
  change(by: Asker, id: string, given: WebhookChange): Promise<WebhookView>
  remove(by: Asker, id: string): Promise<void>
  rotate(by: Asker, id: string, overlapSeconds: number): Promise<NewSecret>
  /** @throws {OffsetGone | InvalidRequest | TokenOutdated} */
  replay(by: Asker, id: string, after: string): Promise<WebhookView>
  test(tenantId: string, id: string): Promise<Attempt>
  deliveries(tenantId: string, id: string): Promise<readonly DeliveryView[]>
}

export const WEBHOOKS_MAX = 10
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

type Row = Omit<WebhookView, 'offset'> &
  Offset & {
    readonly recent: readonly RecentAttempt[]
    readonly secret: Buffer
  }

const ISO = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`
const time = (column: string, as: string) => `to_char(w.${column} at time zone 'UTC', ${ISO}) as "${as}"`

/** Row-level security lets the statement see the webhooks of one tenant. There are few. */
const SELECT = `
select found.*
from (select set_config('hopwhistle.tenant_ids', '{' || $1::text || '}', true)) as tenant (ids)
cross join lateral (
  select w.id, w.url, w.patterns, w.description, w.state, w.disabled_because as "disabledBecause",
    ${time('created_at', 'createdAt')}, ${time('delivered_at', 'deliveredAt')},
    ${time('failing_since', 'failingSince')}, ${time('retry_at', 'retryAt')},
    w.at_batch::float8 as batch, w.at_place as place, w.recent, w.secret
  from hopwhistle.webhooks w
  where tenant.ids is not null and w.tenant_id = $1::uuid and ($2::uuid is null or w.id = $2)
  order by w.created_at, w.id
) found`

export function createManage(deps: ManageDependencies): Manage {
  const { db, tokens, secrets, addresses, shares, turns } = deps

  const sealOffset = (tenantId: string, offset: Offset) => tokens.seal(offsetPurpose(tenantId), packOffset(offset))

  async function rows(tenantId: string, id: string | null): Promise<readonly Row[]> {
    await tokens.ready()
    const asked = turns.run(tenantId, () => db.query<Row>(SELECT, [tenantId, id]))
    return (await asked.catch((error) => Promise.reject(DatabaseUnavailable(error)))).rows
  }

  async function row(tenantId: string, id: string): Promise<Row> {
    const found = UUID.test(id) ? await rows(tenantId, id) : []
    if (found[0] === undefined) throw WebhookNotFound()
    return found[0]
  }

  function view(tenantId: string, { batch, place, recent: _, secret: __, ...webhook }: Row): WebhookView {
    return { ...webhook, offset: sealOffset(tenantId, { batch, place }) }
  }

  /** @throws {WebhookNotFound | DatabaseUnavailable} */
  async function commit(action: string, { tenantId, keyId }: Asker, id: string, given: object): Promise<string> {
    if (!UUID.test(id)) throw WebhookNotFound()
    const query = {
      text: 'call hopwhistle.commit_webhook($1, $2, $3, $4, $5, $6, null)',
      values: [action, tenantId, id, `key ${keyId}`, WEBHOOKS_MAX, JSON.stringify(given)],
    }
    const { rows } = await turns
      .run(tenantId, () => queryReplicated<{ answer: string | null }>(db, query))
      .catch((error) => Promise.reject(DatabaseUnavailable(error)))
    const answer = rows[0]?.answer ?? null
    if (answer === null) throw WebhookNotFound()
    deps.onChanged()
    return answer
  }

  function requireUrl(url: string | undefined): void {
    const problem = url === undefined ? undefined : addresses.problemWith(url)
    if (problem !== undefined) throw InvalidRequest([{ field: 'url', message: problem }])
  }

  const find = async (tenantId: string, id: string) => view(tenantId, await row(tenantId, id))

  return {
    find,
    list: async (tenantId) => (await rows(tenantId, null)).map((one) => view(tenantId, one)),
    make: async (by, { url, patterns, description }) => {
      requireUrl(url)
      const id = randomUUID()
      const { secret, stored } = secrets.make(id)
      const given = { url, patterns, description, secret: stored.toString('hex') }
      if ((await commit('make', by, id, given)) === 'too-many') throw TooManyWebhooks(WEBHOOKS_MAX)
      return { ...(await find(by.tenantId, id)), secret }
    },
    change: async (by, id, { enabled, ...given }) => {
      requireUrl(given.url)
      const state = enabled === undefined ? {} : { state: enabled ? 'active' : 'paused' }
      await commit('change', by, id, { ...given, ...state })
      return find(by.tenantId, id)
    },
    remove: async (by, id) => {
      await commit('delete', by, id, {})
    },
    rotate: async (by, id, overlapSeconds) => {
      const { secret, stored } = secrets.make(id.toLowerCase())
      const previousUntil = overlapSeconds === 0 ? null : new Date(Date.now() + overlapSeconds * 1000).toISOString()
      await commit('rotate', by, id, { secret: stored.toString('hex'), previousUntil })
      return { secret, previousUntil }
    },
    replay: async (by, id, after) => {
      const packed = await tokens.open(offsetPurpose(by.tenantId), after)
      if (packed === 'outdated') throw TokenOutdated('offset')
      if (packed === 'invalid') {
        throw InvalidRequest([{ field: 'after', message: 'is not an offset that a webhook or its deliveries had' }])
      }
      const answer = await commit('replay', by, id, unpackOffset(packed))
      if (answer === 'gone') throw OffsetGone()
      return find(by.tenantId, id)
    },
    test: async (tenantId, id) => {
      const { id: webhookId, url, secret } = await row(tenantId, id)
      if (shares.take(tenantId, 1) !== 'taken') throw OverShare('webhooks under way')
      const sender = deps.newSender()
      try {
        const timestamp = new Date().toISOString()
        const message = {
          id: messageId(webhookId, `test ${randomUUID()}`),
          body: JSON.stringify({ type: 'webhook.test', timestamp, data: { webhookId } }),
        }
        return await sender.send({ url, secrets: [secrets.open(webhookId, secret)] }, message)
      } finally {
        sender.close()
        shares.give(tenantId, 1)
      }
    },
    deliveries: async (tenantId, id) =>
      (await row(tenantId, id)).recent
        .toReversed()
        .map(({ batch, place, ...attempt }) => ({ ...attempt, offset: sealOffset(tenantId, { batch, place }) })),
  }
}
