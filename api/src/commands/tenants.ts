/** `npm run tenants`: see HELP. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { STALE_AFTER_HOURS } from '@hopwhistle/contract/calls.ts'
import type { Client } from 'pg'
import { createSecretBox, parseSecretKeys } from '../access/secret-box.ts'
import {
  countErased,
  type Erasure,
  type ErasureKind,
  findNumber,
  keepErasure,
  listErasures,
  recordErasure,
} from '../postgres/erasure/erasures.ts'
import { countIdsWith, type Forgotten, forgetCall, forgetNumber } from '../postgres/erasure/forget-person.ts'
import { forgetTenant } from '../postgres/erasure/forget-tenant.ts'
import { actAs } from '../postgres/keys/list-audit.ts'
import {
  createProviderCallback,
  endProviderCallback,
  listProviderCallbacks,
} from '../postgres/keys/provider-callbacks.ts'
import { listTenants } from '../postgres/keys/rates.ts'
import { listTenantAudit, setTenant } from '../postgres/keys/tenant-settings.ts'
import { newCallback, sealedFor } from '../providers/callbacks.ts'
import type { Provider } from '../providers/provider.ts'
import { PROVIDERS } from '../providers/providers.ts'
import { forgetTenantInRedis } from '../redis/forget-tenant.ts'
import { openRedis, type RedisConnections } from '../redis/open-redis.ts'
import { usageProblem, WrongUsage } from './parse-keys-arguments.ts'
import { type ProvidersArguments, parseTenantsArguments } from './parse-tenants-arguments.ts'
import { minute, rateText, table } from './render-keys.ts'
import { type DatabaseCommand, runDatabaseCommand } from './run-database-command.ts'

const HELP = `Usage: npm run tenants -- list
       npm run tenants -- limit --tenant ID --rate (N | usual) [--by WHO]
       npm run tenants -- time-zone --tenant ID --zone (NAME | none) [--by WHO]
       npm run tenants -- labels --tenant ID [--set NAMES] [--by WHO]
       npm run tenants -- providers add --tenant ID --provider (twilio | telnyx) [--name NAME] [--by WHO]
       npm run tenants -- providers list [--tenant ID]
       npm run tenants -- providers end CALLBACK_ID [--by WHO]
       npm run tenants -- audit [--tenant ID]
       npm run tenants -- forget (--number NUMBER | --call CALL_ID) [--tenant ID]
       npm run tenants -- forget --whole-tenant --tenant ID
       npm run tenants -- aside --tenant ID
       npm run tenants -- erasures
       npm run tenants -- forget-again FILE
       npm run tenants -- retention --tenant ID [--days DAYS] [--rollup-days DAYS] [--by WHO]
       npm run tenants -- stale --tenant ID --hours (N | usual) [--by WHO]

Erases personal data at somebody's request, and sets how long a tenant's data is kept, how many events it may send, in
which time zone it reads its metrics, and which providers report its calls.
npm run keys makes a tenant together with its first key.

limit sets how many events a second a tenant may send, over all instances and for all its keys together. Every event of a
batch counts, and any other request counts as one. Instances know within a few seconds (KEY_CACHE_MS).

stale sets after how many hours a call that has not ended counts as stale in reports. It applies at once, to earlier calls
too. A later event still ends such a call.

time-zone sets the time zone of a tenant's metrics for requests that name none. Their answers then say so, and begin days,
weeks and months at local midnight. Instances know within a few seconds (KEY_CACHE_MS).

labels shows the label names that a tenant's events may use, or replaces them.

providers add creates a callback, to which a provider reports a tenant's calls, and writes its path to stdout, once. The
provider's secret is read from PROVIDER_SECRET, or else from stdin: the auth token of Twilio, the public key of Telnyx. It is
stored encrypted. To replace it, add another callback, and end the first. npm run keys -- audit shows who created and ended them.

audit lists which settings of tenants were changed, when and by whom.

forget --number removes a person's number from events, calls, the history of live messages and cached reports, with metadata
and labels that contain it. Events and calls stay, so every count stays. Ids of events and calls cannot be changed: if some
contain the number, it says how many and ends with 1. --call removes all numbers, metadata and labels of a call. --whole-tenant
removes everything of a tenant, keys and rollups too. It reads all events, and is safe to run again.

aside writes the events of a tenant that are kept aside (EVENTS_KEEP_ASIDE) to stdout, one JSON object a line.

erasures writes what was erased to stdout, one JSON object a line. Keep it where your backups are not: after a restore,
forget-again applies it. FILE may be - for stdin.

  --number NUMBER      in any notation, such as +4930123456; - reads it from stdin, so that no shell remembers it
  --call CALL_ID       the id of a call
  --tenant ID          of this tenant only; of all if not given
  --whole-tenant       everything of the tenant
  --rate N             events a second; usual: as many as TENANT_RATE_PER_SECOND says
  --zone NAME          an IANA name such as Europe/Berlin; none: UTC
  --provider NAME      twilio or telnyx
  --name NAME          what the callback is for, for people
  --by WHO             who does it, for the audit; the user and the name of this machine if not given
  --set NAMES          up to 8, separated by commas, such as campaign,source; none: no labels
  --days DAYS          how long its calls are kept, 91 days or more; 0: for ever; default: as RETENTION_DAYS says
  --rollup-days DAYS   how long its metrics are kept, 91 days or more; forever: for ever
  --hours N            1 to 2160; usual: ${STALE_AFTER_HOURS}

Environment:
  MIGRATION_DATABASE_URL  required  the primary, as the role that migrated it; for erasures, a replica will do
  REDIS_URL               required  to forget; REDIS_CLUSTER_NODES and REDIS_CA_FILE as for the API
  PROVIDER_SECRETS_KEY    required  to add a callback; as for the API
  PROVIDER_SECRET                   the secret of a provider; if it is not set, stdin
  KEY_CACHE_MS                      as for the API, if it was changed there

Exit codes: 0 done, 1 failed, nothing was found, or the number is in ids, 2 wrong usage.
`

const KEY_CACHE_MS = 3_000
const REDIS_WITHIN_MS = 10_000
/** An instance that read events before may put its report into the cache a moment later. */
const REPORTS_UNDER_WAY_MS = 1_000

const run: DatabaseCommand = async (client, say, args) => {
  const asked = parseTenantsArguments(args)
  await client.query('set role hopwhistle_owner')
  if ('by' in asked) await actAs(client, asked.by ?? `${userInfo().username}@${hostname()}`)
  const show = (text: string) => void process.stdout.write(`${text}\n`)
  switch (asked.verb) {
    case 'list': {
      const rows = (await listTenants(client)).map((tenant) => [
        tenant.id,
        tenant.name,
        tenant.rate === null ? 'usual' : `${tenant.rate}/s`,
        tenant.timeZone ?? 'UTC',
        tenant.retentionDays === null ? 'default' : `${tenant.retentionDays} days`,
        tenant.rollupRetentionDays === null ? 'for ever' : `${tenant.rollupRetentionDays} days`,
        tenant.staleAfterHours === null ? 'usual' : `${tenant.staleAfterHours} h`,
        minute(tenant.createdAt),
      ])
      return show(
        rows.length === 0
          ? 'There is no tenant.'
          : table(['TENANT', 'NAME', 'RATE', 'ZONE', 'CALLS', 'METRICS', 'STALE AFTER', 'MADE'], rows),
      )
    }
    case 'limit':
      await setTenant(client, asked.tenantId, 'events_per_second', asked.rate ?? null)
      return say(
        `tenant ${asked.tenantId} may send ${rateText(asked.rate, 'any other')}; instances know within seconds`,
      )
    case 'time-zone':
      await setTenant(client, asked.tenantId, 'time_zone', asked.zone)
      return say(`metrics of tenant ${asked.tenantId} are in ${asked.zone ?? 'UTC'}; instances know within seconds`)
    case 'audit': {
      const rows = (await listTenantAudit(client, asked.tenantId)).map((entry) => [
        minute(entry.at),
        entry.tenantId,
        entry.setting,
        entry.was ?? 'default',
        entry.became ?? 'default',
        entry.byWhom ?? 'not said',
        entry.byRole,
      ])
      if (rows.length === 0) return show('No setting of a tenant was changed.')
      return show(table(['WHEN', 'TENANT', 'SETTING', 'WAS', 'BECAME', 'BY', 'AS'], rows))
    }
    case 'labels': {
      const { rows } = await client.query<{ labels: string[] | null }>(
        `update hopwhistle.tenants set labels = case when $2 then nullif($3::text[], '{}') else labels end
         where id = $1 returning labels`,
        [asked.tenantId, asked.labels !== undefined, asked.labels ?? []],
      )
      if (rows[0] === undefined) throw new Error(`there is no tenant ${asked.tenantId}`)
      return show(rows[0].labels?.join('\n') ?? 'no labels')
    }
    case 'providers':
      return providers(client, say, asked)
    case 'erasures':
      for (const erasure of await listErasures(client)) show(JSON.stringify(erasure))
      return
    case 'aside': {
      // As text: a double does not hold every number that an event may have.
      const { rows } = await client.query<{ body: string }>(
        'select body::text from hopwhistle.events_aside where tenant_id = $1 order by received_at, event_id',
        [asked.tenantId],
      )
      for (const { body } of rows) show(body)
      return
    }
    case 'retention': {
      const { rowCount } = await client.query(
        `update hopwhistle.tenants
         set retention_days = case when $2 then $3 else retention_days end,
           rollup_retention_days = case when $4 then $5 else rollup_retention_days end
         where id = $1`,
        [asked.tenantId, asked.days !== undefined, asked.days, asked.rollupDays !== undefined, asked.rollupDays],
      )
      if (rowCount === 0) throw new Error(`there is no tenant ${asked.tenantId}`)
      return say('done; what is too old goes within about an hour')
    }
    case 'stale':
      await setTenant(client, asked.tenantId, 'stale_after_hours', asked.hours)
      return say(
        `a call of tenant ${asked.tenantId} that has not ended is stale after ${asked.hours ?? STALE_AFTER_HOURS} hours`,
      )
    case 'forget': {
      const given = asked.given === '-' ? readFileSync(0, 'utf8').trim() : asked.given
      const id = randomUUID()
      return withRedis(async (redis) => {
        await recordErasure(client, {
          ...asked,
          id,
          tenantId: asked.tenantId ?? null,
          askedBy: userInfo().username,
          given,
        })
        const forgotten = await forget(client, redis, { id, kind: asked.kind, given, tenantId: asked.tenantId })
        say(`${described(asked.kind, forgotten)}; it is erasure ${id}`)
        requireNoIds(forgotten.inIds)
        if (forgotten.tenantIds.length === 0) throw new Error('nothing was found to erase')
      })
    }
    case 'forget-again': {
      const erasures = parseErasures(readFileSync(asked.file === '-' ? 0 : asked.file, 'utf8'))
      return withRedis(async (redis) => {
        let inIds = 0
        for (const erasure of erasures) inIds += await forgetAgain(client, redis, erasure, say)
        requireNoIds(inIds)
      })
    }
  }
}

type Asked = {
  readonly id: string
  readonly kind: ErasureKind
  readonly given: string
  readonly tenantId: string | undefined
}

async function forget(
  client: Client,
  redis: RedisConnections,
  { id, kind, given, tenantId }: Asked,
): Promise<Forgotten & { readonly inIds: number }> {
  const forgotten =
    kind === 'number'
      ? await forgetNumber(client, given, tenantId)
      : kind === 'call'
        ? await forgetCall(client, given, tenantId)
        : await forgetTenant(client, given, Number(process.env.KEY_CACHE_MS ?? KEY_CACHE_MS))
  await countErased(client, id, forgotten)
  for (const pauseMs of [0, REPORTS_UNDER_WAY_MS]) {
    if (forgotten.tenantIds.length > 0) await sleep(pauseMs)
    for (const of of forgotten.tenantIds)
      await forgetTenantInRedis(redis.commands, of, kind === 'tenant' ? 'everything' : 'content')
  }
  return { ...forgotten, inIds: kind === 'number' ? await countIdsWith(client, given, tenantId) : 0 }
}

/** @returns how many events have the number in an id */
async function forgetAgain(
  client: Client,
  redis: RedisConnections,
  erasure: Erasure,
  say: (text: string) => void,
): Promise<number> {
  await keepErasure(client, erasure)
  const given = erasure.kind === 'number' ? await findNumber(client, erasure) : erasure.subject
  if (given === undefined) {
    say(`erasure ${erasure.id}: nothing of it is there`)
    return 0
  }
  const asked = { id: erasure.id, kind: erasure.kind, given, tenantId: erasure.tenantId ?? undefined }
  const forgotten = await forget(client, redis, asked)
  say(`erasure ${erasure.id}: ${described(erasure.kind, forgotten)}`)
  return forgotten.inIds
}

/** @throws {Error} when a number is left in ids */
function requireNoIds(events: number): void {
  if (events === 0) return
  throw new Error(
    `${events} events have the number in their id or in that of their call; ids cannot be changed and go when their calls are too old (retention), or with the whole tenant`,
  )
}

function described(kind: ErasureKind, { events, calls, tenantIds }: Forgotten): string {
  if (tenantIds.length === 0) return 'erased nothing'
  return kind === 'tenant'
    ? `deleted the tenant, with ${events} events of ${calls} calls`
    : `changed ${events} events and ${calls} calls of ${tenantIds.length} tenants; their live history and cached reports are gone`
}

function parseErasures(text: string): readonly Erasure[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line, i) => {
    try {
      const erasure = JSON.parse(line) as Erasure
      if (typeof erasure.id === 'string' && typeof erasure.subject === 'string') return erasure
    } catch {
      // Said below, without what is in the line.
    }
    throw new Error(`line ${i + 1} of the list is not one that tenants erasures has written`)
  })
}

async function withRedis(work: (redis: RedisConnections) => Promise<void>): Promise<void> {
  const { REDIS_URL: redisUrl, REDIS_CLUSTER_NODES: redisClusterNodes, REDIS_CA_FILE: redisCaFile } = process.env
  const redis = openRedis(
    { redisUrl: redisUrl as string, redisClusterNodes, redisCaFile, instanceId: 'tenants' },
    { info: () => {}, warn: () => {} },
  )
  try {
    for (let waitedMs = 0; !redis.isUp(); waitedMs += 50) {
      if (waitedMs > REDIS_WITHIN_MS) throw new Error('cannot connect to Redis (REDIS_URL); nothing was erased')
      await sleep(50)
    }
    await work(redis)
  } finally {
    await redis.close()
  }
}

async function providers(client: Client, say: (text: string) => void, asked: ProvidersArguments): Promise<void> {
  if ('by' in asked) await actAs(client, asked.by ?? `${userInfo().username}@${hostname()}`)
  switch (asked.what) {
    case 'list': {
      const rows = (await listProviderCallbacks(client, asked.tenantId)).map((one) => [
        one.id,
        one.tenantId,
        one.provider,
        one.name,
        minute(one.madeAt),
        one.endedAt === null ? 'works' : `ended ${minute(one.endedAt)}`,
      ])
      const header = ['CALLBACK', 'TENANT', 'PROVIDER', 'NAME', 'MADE', 'STATE']
      process.stdout.write(`${rows.length === 0 ? 'There is no callback.' : table(header, rows)}\n`)
      return
    }
    case 'end': {
      const endedAt = await endProviderCallback(client, asked.callbackId)
      if (endedAt === undefined) throw new Error(`there is no callback ${asked.callbackId}: providers list`)
      return say(`callback ${asked.callbackId} ended at ${endedAt.toISOString()}; instances refuse it within seconds`)
    }
    case 'add': {
      const provider = PROVIDERS.find(({ name }) => name === asked.provider) as Provider
      const secret = (process.env.PROVIDER_SECRET || readFileSync(0, 'utf8')).trim()
      const problem = secret === '' ? 'is empty' : provider.secretProblem(secret)
      if (problem !== undefined) throw new Error(`the secret, from PROVIDER_SECRET or stdin, ${problem}`)
      const keys = parseSecretKeys(process.env.PROVIDER_SECRETS_KEY ?? '') as readonly Buffer[]
      const { callback, callbackHash } = newCallback()
      const id = randomUUID()
      const sealedSecret = createSecretBox(keys).seal(secret, sealedFor(id, provider.name))
      const { tenantId, name } = asked
      if (
        !(await createProviderCallback(client, {
          id,
          tenantId,
          provider: provider.name,
          name,
          callbackHash,
          sealedSecret,
        }))
      )
        throw new Error(`there is no tenant ${tenantId}`)
      say(`made callback ${id} of tenant ${tenantId} for ${provider.title}. Its path is not shown again:`)
      process.stdout.write(`${provider.route.replace(':callback', callback)}\n`)
    }
  }
}

const problemWith = (args: readonly string[]) =>
  usageProblem(() => {
    const asked = parseTenantsArguments(args)
    const { verb } = asked
    if (
      verb === 'providers' &&
      asked.what === 'add' &&
      parseSecretKeys(process.env.PROVIDER_SECRETS_KEY ?? '') === undefined
    )
      throw new WrongUsage('PROVIDER_SECRETS_KEY is not set, or is not 32 bytes in Base64: openssl rand -base64 32')
    const needsRedis = verb === 'forget' || verb === 'forget-again'
    if (needsRedis && !URL.canParse(process.env.REDIS_URL ?? '')) {
      throw new WrongUsage('REDIS_URL is not set, or is not a URL')
    }
  })

await runDatabaseCommand(HELP, 'tenants', run, 'checked by problemWith', problemWith)
