/** `npm run keys`: see HELP. */
import { hostname, userInfo } from 'node:os'
import { SCOPES } from '@hopwhistle/contract/routes.ts'
import type { Client } from 'pg'
import { newKey } from '../access/new-key.ts'
import { createKey, createTenant } from '../postgres/keys/create-key.ts'
import { actAs, listAudit } from '../postgres/keys/list-audit.ts'
import { listKeys } from '../postgres/keys/list-keys.ts'
import { limitKey } from '../postgres/keys/rates.ts'
import { revokeKey } from '../postgres/keys/revoke-key.ts'
import { rotateKey } from '../postgres/keys/rotate-key.ts'
import { parseKeysArguments, usageProblem } from './parse-keys-arguments.ts'
import { rateText, renderAudit, renderKeys } from './render-keys.ts'
import { type DatabaseCommand, runDatabaseCommand } from './run-database-command.ts'

const HELP = `Usage: npm run keys -- create (--tenant ID | --new-tenant NAME) [--name NAME] [--scopes SCOPE,…]
                              [--expires-days N] [--by WHO]
       npm run keys -- list [--tenant ID]
       npm run keys -- audit [--tenant ID]
       npm run keys -- rotate KEY_ID [--overlap-hours N] [--by WHO]
       npm run keys -- revoke KEY_ID [--by WHO]
       npm run keys -- limit KEY_ID --rate (N | usual)

Creates, lists, replaces, limits and ends API keys, and shows who did so. A new key is written to stdout, alone, and never
shown again: only its hash is stored. An instance of the API refuses a key that has ended within a few seconds (KEY_CACHE_MS), and closes its sockets.

  --tenant ID          whose key it is, by its UUID
  --new-tenant NAME    creates a tenant of that name first
  --name NAME          what the key is for, for people; "default" if not given
  --scopes SCOPE,…     what it may do: ${SCOPES.join(', ')}; all of it if not given
  --expires-days N     days until it expires; never if not given. A key that replaces it lasts as long
  --overlap-hours N    how long the old key still works next to the new one; 24 if not given, 0 ends it now
  --rate N             events a second that the key may send, over all instances; usual: as many as its tenant
  --by WHO             who does it, for the audit; the user and the name of this machine if not given

Environment:
  MIGRATION_DATABASE_URL  required  the primary, as the role that migrated it

Exit codes: 0 done, 1 failed, or no such tenant or key, 2 wrong usage.
`

const run: DatabaseCommand = async (client, say, args) => {
  const asked = parseKeysArguments(args)
  await client.query('set role hopwhistle_owner')
  if ('by' in asked) await actAs(client, asked.by ?? `${userInfo().username}@${hostname()}`)
  const show = (text: string) => void process.stdout.write(`${text}\n`)
  switch (asked.verb) {
    case 'list':
      return show(renderKeys(await listKeys(client, asked.tenantId), new Date()))
    case 'audit':
      return show(renderAudit(await listAudit(client, asked.tenantId)))
    case 'create': {
      const { key, keyHash } = newKey()
      const { id, tenantId } = await inTransaction(client, async () => {
        const tenantId = asked.tenantId ?? (await createTenant(client, asked.newTenant))
        const id = await createKey(client, {
          tenantId,
          name: asked.name,
          scopes: asked.scopes,
          keyHash,
          expiresInDays: asked.expiresInDays,
        })
        if (id === undefined) throw new Error(`there is no tenant ${tenantId}; --new-tenant NAME makes one`)
        return { id, tenantId }
      })
      say(`made key ${id} of tenant ${tenantId}, for ${asked.scopes.join(', ')}. It is not shown again:`)
      return show(key)
    }
    case 'rotate': {
      const { key, keyHash } = newKey()
      const rotated = await rotateKey(client, { oldId: asked.keyId, keyHash, overlapHours: asked.overlapHours })
      if (rotated === undefined) {
        throw new Error(`there is no key ${asked.keyId} to replace, or it has ended or is being replaced: keys list`)
      }
      say(`the old key ${asked.keyId} works until ${rotated.oldEndsAt.toISOString()}`)
      say(`made key ${rotated.id} of tenant ${rotated.tenantId} in its place. It is not shown again:`)
      return show(key)
    }
    case 'limit': {
      if (!(await limitKey(client, asked.keyId, asked.rate)))
        throw new Error(`there is no key ${asked.keyId}: keys list`)
      return say(`key ${asked.keyId} may send ${rateText(asked.rate, 'its tenant')}; instances know within seconds`)
    }
    case 'revoke': {
      const endedAt = await revokeKey(client, asked.keyId)
      if (endedAt === undefined) throw new Error(`there is no key ${asked.keyId}: keys list`)
      return say(`key ${asked.keyId} ended at ${endedAt.toISOString()}; instances refuse it within seconds`)
    }
  }
}

const problemWith = (args: readonly string[]) => usageProblem(() => parseKeysArguments(args))

async function inTransaction<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin')
  try {
    const result = await work()
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  }
}

await runDatabaseCommand(HELP, 'keys', run, 'checked by problemWith', problemWith)
