/** `npm run webhooks`: see HELP. */
import { hostname, userInfo } from 'node:os'
import type { Client } from 'pg'
import { usageProblem } from './parse-keys-arguments.ts'
import { parseWebhooksArguments } from './parse-webhooks-arguments.ts'
import { minute, table } from './render-keys.ts'
import { type DatabaseCommand, runDatabaseCommand } from './run-database-command.ts'

const HELP = `Usage: npm run webhooks -- list [--tenant ID]
       npm run webhooks -- audit [--tenant ID]
       npm run webhooks -- enable WEBHOOK_ID [--by WHO]
       npm run webhooks -- pause WEBHOOK_ID [--by WHO]
       npm run webhooks -- delete WEBHOOK_ID [--by WHO]

Lists the webhooks of tenants and shows who changed them; enables, pauses and deletes one. A tenant creates and changes its
own through the API, and sees its deliveries there: docs/webhooks.md.

enable resumes a webhook that was paused, or that the platform disabled because nothing could be delivered. Events that
waited are tried again.

  --tenant ID   of this tenant only; of all if not given
  --by WHO      who does it, for the audit; the user and the name of this machine if not given

Environment:
  MIGRATION_DATABASE_URL  required  the primary, as the role that migrated it

Exit codes: 0 done, 1 failed, or no such webhook, 2 wrong usage.
`

type Row = {
  readonly id: string
  readonly tenantId: string
  readonly host: string
  readonly patterns: readonly string[]
  readonly state: string
  readonly because: string | null
  readonly failingSince: Date | null
  readonly deliveredAt: Date | null
  readonly waiting: number
}

/** Of the URL only its host: what follows may be a secret. */
const LIST = `
select w.id, w.tenant_id as "tenantId", substring(w.url from '^[a-z]+://([^/?#]+)') as host, w.patterns, w.state,
  w.disabled_because as because, w.failing_since as "failingSince", w.delivered_at as "deliveredAt",
  (select count(*)::integer from hopwhistle.webhook_waiting q where q.webhook_id = w.id) as waiting
from hopwhistle.webhooks w
where $1::uuid is null or w.tenant_id = $1
order by w.tenant_id, w.created_at`

const AUDIT = `
select at, action, webhook_id as "webhookId", tenant_id as "tenantId", by_whom as "byWhom", by_role as "byRole"
from hopwhistle.webhook_audit
where $1::uuid is null or tenant_id = $1
order by id`

type AuditRow = {
  readonly at: Date
  readonly action: string
  readonly webhookId: string
  readonly tenantId: string
  readonly byWhom: string | null
  readonly byRole: string
}

const run: DatabaseCommand = async (client, say, args) => {
  const asked = parseWebhooksArguments(args)
  await client.query('set role hopwhistle_owner')
  const show = (text: string) => void process.stdout.write(`${text}\n`)
  switch (asked.verb) {
    case 'list': {
      const { rows } = await client.query<Row>(LIST, [asked.tenantId ?? null])
      if (rows.length === 0) return show('There is no webhook.')
      const cells = rows.map((row) => [
        row.id,
        row.tenantId,
        row.host,
        row.patterns.join(','),
        stateOf(row),
        String(row.waiting),
        row.deliveredAt === null ? 'never' : minute(row.deliveredAt),
      ])
      return show(table(['WEBHOOK', 'TENANT', 'HOST', 'EVENTS', 'STATE', 'WAITING', 'LAST DELIVERY'], cells))
    }
    case 'audit': {
      const { rows } = await client.query<AuditRow>(AUDIT, [asked.tenantId ?? null])
      if (rows.length === 0) return show('Nothing has happened to any webhook.')
      const cells = rows.map((row) => [
        minute(row.at),
        row.action,
        row.webhookId,
        row.tenantId,
        row.byWhom ?? 'not said',
        row.byRole,
      ])
      return show(table(['WHEN', 'WHAT', 'WEBHOOK', 'TENANT', 'BY', 'AS'], cells))
    }
    default: {
      const by = asked.by ?? `${userInfo().username}@${hostname()}`
      const state = { enable: 'active', pause: 'paused', delete: undefined }[asked.verb]
      const action = asked.verb === 'delete' ? 'delete' : 'change'
      if (!(await change(client, action, asked.webhookId, by, { state })))
        throw new Error(`there is no webhook ${asked.webhookId}: webhooks list`)
      return say(`done: ${asked.verb} ${asked.webhookId}; instances know within seconds`)
    }
  }
}

async function change(client: Client, action: string, id: string, by: string, given: object): Promise<boolean> {
  const { rows } = await client.query<{ answer: string | null }>(
    `select hopwhistle.change_webhook($1, w.tenant_id, w.id, $3, 0, $4) as answer
     from hopwhistle.webhooks w where w.id = $2`,
    [action, id, by, JSON.stringify(given)],
  )
  return rows[0]?.answer === 'done'
}

function stateOf({ state, because, failingSince }: Row): string {
  if (state === 'disabled') return `disabled: ${because}`
  return failingSince === null ? state : `${state}, failing since ${minute(failingSince)}`
}

const problemWith = (args: readonly string[]) => usageProblem(() => parseWebhooksArguments(args))

await runDatabaseCommand(HELP, 'webhooks', run, 'checked by problemWith', problemWith)
