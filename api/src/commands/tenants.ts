/** `npm run tenants`: see HELP. */
import { parseArgs } from 'node:util'
import { limitTenant, listTenants } from '../postgres/keys/rates.ts'
import { parsed, rateOf, uuid, WrongUsage } from './parse-keys-arguments.ts'
import { minute, rateText, table } from './render-keys.ts'
import { type DatabaseCommand, runDatabaseCommand } from './run-database-command.ts'

const HELP = `Usage: npm run tenants -- list
       npm run tenants -- limit TENANT_ID --rate (N | usual)

Lists tenants, and sets how many events a second each may send. Instances of the API know within a few seconds
(KEY_CACHE_MS). npm run keys makes a tenant together with its first key.

  --rate N  events a second over all instances, for all keys of the tenant together. Every event of a batch counts, and any
            other request counts as one. usual: as many as TENANT_RATE_PER_SECOND says

Environment:
  MIGRATION_DATABASE_URL  required  the primary, as the role that migrated it

Exit codes: 0 done, 1 failed, or no such tenant, 2 wrong usage.
`

type Asked =
  | { readonly verb: 'list' }
  | { readonly verb: 'limit'; readonly tenantId: string; readonly rate: number | undefined }

/** @throws {WrongUsage} */
function parse([verb, ...rest]: readonly string[]): Asked {
  if (verb === 'list' && rest.length === 0) return { verb }
  if (verb !== 'limit') throw new WrongUsage('the arguments may be list, or limit TENANT_ID --rate N')
  const options = { rate: { type: 'string' as const } }
  const { values, positionals } = parsed(() => parseArgs({ args: rest, options, allowPositionals: true }))
  if (positionals.length !== 1) throw new WrongUsage('limit takes the id of one tenant')
  return { verb, tenantId: uuid(positionals[0] ?? '', "a tenant's id"), rate: rateOf(values.rate) }
}

const run: DatabaseCommand = async (client, say, args) => {
  const asked = parse(args)
  await client.query('set role hopwhistle_owner')
  if (asked.verb === 'list') {
    const tenants = await listTenants(client)
    const rows = tenants.map(({ id, name, rate, createdAt }) => [
      id,
      name,
      rate === null ? 'usual' : `${rate}/s`,
      minute(createdAt),
    ])
    const shown = rows.length === 0 ? 'There is no tenant.' : table(['TENANT', 'NAME', 'RATE', 'MADE'], rows)
    return void process.stdout.write(`${shown}\n`)
  }
  if (!(await limitTenant(client, asked.tenantId, asked.rate))) {
    throw new Error(`there is no tenant ${asked.tenantId}: tenants list`)
  }
  say(`tenant ${asked.tenantId} may send ${rateText(asked.rate, 'any other')}; instances know within seconds`)
}

function problemWith(args: readonly string[]): string | undefined {
  try {
    parse(args)
    return undefined
  } catch (error) {
    if (error instanceof WrongUsage) return error.message
    throw error
  }
}

await runDatabaseCommand(HELP, 'tenants', run, 'checked by problemWith', problemWith)
