import { parseArgs } from 'node:util'
import type { Scope } from '@hopwhistle/contract/routes.ts'
import { SCOPES } from '@hopwhistle/contract/routes.ts'

/** The arguments are not ones that the command takes; the message says what it takes. */
export class WrongUsage extends Error {
  override readonly name = 'WrongUsage'
}

/** @returns what is wrong with the arguments, if anything is */
export function usageProblem(parse: () => unknown): string | undefined {
  try {
    parse()
    return undefined
  } catch (error) {
    if (error instanceof WrongUsage) return error.message
    throw error
  }
}

/** What `npm run keys` is asked to do. */
export type KeysArguments =
  | {
      readonly verb: 'create'
      readonly tenantId: string | undefined
      /** Used when there is no `tenantId`. */
      readonly newTenant: string
      readonly name: string
      readonly scopes: readonly Scope[]
      readonly expiresInDays: number | undefined
      /** Who does it, for the audit; the user of this machine unless given. */
      readonly by: string | undefined
    }
  | { readonly verb: 'list' | 'audit'; readonly tenantId: string | undefined }
  | { readonly verb: 'rotate'; readonly keyId: string; readonly overlapHours: number; readonly by: string | undefined }
  | { readonly verb: 'revoke'; readonly keyId: string; readonly by: string | undefined }
  /** `undefined`: as many as its tenant. */
  | { readonly verb: 'limit'; readonly keyId: string; readonly rate: number | undefined }

const VERBS = ['create', 'list', 'audit', 'rotate', 'revoke', 'limit'] as const
const OPTIONS = {
  create: ['tenant', 'new-tenant', 'name', 'scopes', 'expires-days', 'by'],
  list: ['tenant'],
  audit: ['tenant'],
  rotate: ['overlap-hours', 'by'],
  revoke: ['by'],
  limit: ['rate'],
} as const satisfies Record<(typeof VERBS)[number], readonly string[]>
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const OVERLAP_HOURS_MAX = 24 * 365

/** @throws {WrongUsage} */
export function parseKeysArguments(args: readonly string[]): KeysArguments {
  const [given, ...rest] = args
  const verb = VERBS.find((known) => known === given)
  if (verb === undefined) throw new WrongUsage(`the first argument may be ${VERBS.join(', ')}`)
  const options = Object.fromEntries(OPTIONS[verb].map((name) => [name, { type: 'string' as const }]))
  const { values, positionals } = parsed(() => parseArgs({ args: rest, options, allowPositionals: true }))
  const wanted = verb === 'create' || verb === 'list' || verb === 'audit' ? 0 : 1
  if (positionals.length !== wanted) {
    throw new WrongUsage(wanted === 1 ? `${verb} takes the id of one key` : `${verb} takes no ${positionals[0]}`)
  }
  const value = (name: string) => values[name] as string | undefined
  const by = value('by') || undefined
  const tenantId = value('tenant') === undefined ? undefined : uuid(value('tenant') ?? '', '--tenant')
  if (verb === 'list' || verb === 'audit') return { verb, tenantId }
  if (verb === 'create') {
    const newTenant = value('new-tenant') ?? ''
    if ((tenantId === undefined) === (newTenant === '')) {
      throw new WrongUsage('create takes --tenant ID or --new-tenant NAME, and not both')
    }
    return {
      verb,
      tenantId,
      newTenant,
      name: value('name') || 'default',
      scopes: scopesOf(value('scopes')),
      expiresInDays: days(value('expires-days')),
      by,
    }
  }
  const keyId = uuid(positionals[0] ?? '', "a key's id")
  if (verb === 'limit') return { verb, keyId, rate: rateOf(value('rate')) }
  return verb === 'rotate'
    ? { verb, keyId, overlapHours: hours(value('overlap-hours') ?? '24'), by }
    : { verb, keyId, by }
}

const RATE_MAX = 2_147_483_647

/** @returns undefined for `usual` @throws {WrongUsage} */
export function rateOf(given: string | undefined): number | undefined {
  if (given === 'usual') return undefined
  const value = Number(given)
  if (given !== undefined && /^\d+$/.test(given) && value >= 1 && value <= RATE_MAX) return value
  throw new WrongUsage(`limit takes --rate N, a whole number from 1 to ${RATE_MAX}, or --rate usual`)
}

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new WrongUsage((error as Error).message)
  }
}

/** What is given may be a key, put there by mistake: it is not repeated. */
export function uuid(given: string, what: string): string {
  if (!UUID.test(given)) throw new WrongUsage(`${what} must be a UUID; list shows them`)
  return given.toLowerCase()
}

function scopesOf(given: string | undefined): readonly Scope[] {
  if (given === undefined) return SCOPES
  const names = given.split(',').map((name) => name.trim())
  const scopes = SCOPES.filter((scope) => names.includes(scope))
  if (names.some((name) => !(SCOPES as readonly string[]).includes(name))) {
    throw new WrongUsage(`--scopes may have ${SCOPES.join(', ')}`)
  }
  return scopes
}

const EXPIRES_DAYS_MAX = 3_650

function days(given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  const value = Number(given)
  if (/^\d+$/.test(given) && value >= 1 && value <= EXPIRES_DAYS_MAX) return value
  throw new WrongUsage(`--expires-days must be a whole number from 1 to ${EXPIRES_DAYS_MAX}`)
}

function hours(given: string): number {
  const value = Number(given)
  if (/^\d+$/.test(given) && value <= OVERLAP_HOURS_MAX) return value
  throw new WrongUsage(`--overlap-hours must be a whole number from 0 to ${OVERLAP_HOURS_MAX}`)
}
