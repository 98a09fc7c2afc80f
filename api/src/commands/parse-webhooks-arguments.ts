import { parseArgs } from 'node:util'
import { uuid, WrongUsage } from './parse-keys-arguments.ts'

/** What `npm run webhooks` is asked to do. */
export type WebhooksArguments =
  | { readonly verb: 'list' | 'audit'; readonly tenantId: string | undefined }
  | {
      readonly verb: 'enable' | 'pause' | 'delete'
      readonly webhookId: string
      /** Who does it, for the audit; the user of this machine unless given. */
      readonly by: string | undefined
    }

const VERBS = ['list', 'audit', 'enable', 'pause', 'delete'] as const

/** @throws {WrongUsage} */
export function parseWebhooksArguments(args: readonly string[]): WebhooksArguments {
  const [given, ...rest] = args
  const verb = VERBS.find((known) => known === given)
  if (verb === undefined) throw new WrongUsage(`the first argument may be ${VERBS.join(', ')}`)
  const shows = verb === 'list' || verb === 'audit'
  const option = shows ? 'tenant' : 'by'
  const { values, positionals } = parsed(rest, option)
  if (positionals.length !== (shows ? 0 : 1)) {
    throw new WrongUsage(shows ? `${verb} takes only --tenant ID` : `${verb} takes the id of one webhook`)
  }
  const value = values[option]
  if (shows) return { verb, tenantId: value === undefined ? undefined : uuid(value, '--tenant') }
  return { verb, webhookId: uuid(positionals[0] ?? '', "a webhook's id"), by: value || undefined }
}

function parsed(args: readonly string[], option: string) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { [option]: { type: 'string' } },
      allowPositionals: true,
    })
    return { values: values as Readonly<Record<string, string | undefined>>, positionals }
  } catch (error) {
    throw new WrongUsage((error as Error).message)
  }
}
