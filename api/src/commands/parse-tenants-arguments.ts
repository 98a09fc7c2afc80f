import { parseArgs } from 'node:util'
import { LABEL_BOUNDS } from '@hopwhistle/contract/calls.ts'
import type { Provider } from '../providers/provider.ts'
import { PROVIDERS } from '../providers/providers.ts'
import { findTimeZone } from '../reporting/zones/time-zone.ts'
import { rateOf, uuid, WrongUsage } from './parse-keys-arguments.ts'

/** What `npm run tenants` is asked to do. */
export type TenantsArguments =
  | { readonly verb: 'list' }
  /** `undefined`: as many as TENANT_RATE_PER_SECOND says. */
  | { readonly verb: 'limit'; readonly tenantId: string; readonly rate: number | undefined; readonly by: By }
  /** null: UTC, and nothing is said about a zone. */
  | { readonly verb: 'time-zone'; readonly tenantId: string; readonly zone: string | null; readonly by: By }
  /** Absent: of all tenants. */
  | { readonly verb: 'audit'; readonly tenantId: string | undefined }
  | {
      readonly verb: 'forget'
      readonly kind: 'number' | 'call' | 'tenant'
      /** The number, or `-` for standard input; the id of the call, or of the tenant. */
      readonly given: string
      /** Absent: of all tenants. */
      readonly tenantId: string | undefined
    }
  | ProvidersArguments
  | { readonly verb: 'erasures' }
  /** Absent: as they are. */
  | {
      readonly verb: 'labels'
      readonly tenantId: string
      readonly labels: readonly string[] | undefined
      readonly by: By
    }
  | { readonly verb: 'aside'; readonly tenantId: string }
  | { readonly verb: 'forget-again'; readonly file: string }
  | {
      readonly verb: 'retention'
      readonly tenantId: string
      /** null: RETENTION_DAYS. Absent: as it is. */
      readonly days: number | null | undefined
      /** null: for ever. Absent: as it is. */
      readonly rollupDays: number | null | undefined
      readonly by: By
    }
  /** null: STALE_AFTER_HOURS. */
  | { readonly verb: 'stale'; readonly tenantId: string; readonly hours: number | null; readonly by: By }

/** Who does it, for the audit; the user and the name of this machine if not given. */
type By = string | undefined

/** `by` is who does it, for the audit; the user of this machine unless given. */
export type ProvidersArguments = { readonly verb: 'providers' } & (
  | {
      readonly what: 'add'
      readonly tenantId: string
      readonly provider: Provider['name']
      readonly name: string
      readonly by: string | undefined
    }
  | { readonly what: 'list'; readonly tenantId: string | undefined }
  | { readonly what: 'end'; readonly callbackId: string; readonly by: string | undefined }
)

const VERBS = [
  'list',
  'limit',
  'time-zone',
  'labels',
  'providers',
  'audit',
  'forget',
  'aside',
  'erasures',
  'forget-again',
  'retention',
  'stale',
] as const
const OPTIONS = {
  list: [],
  limit: ['tenant', 'rate', 'by'],
  'time-zone': ['tenant', 'zone', 'by'],
  labels: ['tenant', 'set', 'by'],
  providers: ['tenant', 'provider', 'name', 'by'],
  audit: ['tenant'],
  forget: ['number', 'call', 'tenant'],
  aside: ['tenant'],
  erasures: [],
  'forget-again': [],
  retention: ['tenant', 'days', 'rollup-days', 'by'],
  stale: ['tenant', 'hours', 'by'],
} as const satisfies Record<(typeof VERBS)[number], readonly string[]>
const DAYS_MIN = 91
const HOURS_MAX = 2160

/** @throws {WrongUsage} whose message repeats nothing that may be a person's number */
export function parseTenantsArguments(args: readonly string[]): TenantsArguments {
  const [given, ...rest] = args
  const verb = VERBS.find((known) => known === given)
  if (verb === undefined) throw new WrongUsage(`the first argument may be ${VERBS.join(', ')}`)
  const { values, positionals } = parsed(verb, rest)
  if (verb === 'providers') return providers(positionals, values)
  if (positionals.length !== (verb === 'forget-again' ? 1 : 0)) {
    throw new WrongUsage(verb === 'forget-again' ? 'forget-again takes one file, or -' : `${verb} takes only options`)
  }
  switch (verb) {
    case 'list':
    case 'erasures':
      return { verb }
    case 'limit':
      return { verb, tenantId: uuid(values.tenant ?? '', '--tenant'), rate: rateOf(values.rate), by: values.by }
    case 'time-zone':
      return { verb, tenantId: uuid(values.tenant ?? '', '--tenant'), zone: zoneOf(values.zone), by: values.by }
    case 'labels':
      return { verb, tenantId: uuid(values.tenant ?? '', '--tenant'), labels: labelsOf(values.set), by: values.by }
    case 'audit':
      return { verb, tenantId: values.tenant === undefined ? undefined : uuid(values.tenant, '--tenant') }
    case 'aside':
      return { verb, tenantId: uuid(values.tenant ?? '', '--tenant') }
    case 'forget-again':
      return { verb, file: positionals[0] as string }
    case 'forget':
      return { verb, ...subject(values) }
    case 'retention': {
      const days = daysOf(values, 'days', 'default', [0])
      const rollupDays = daysOf(values, 'rollup-days', 'forever', [])
      if (days === undefined && rollupDays === undefined)
        throw new WrongUsage('retention takes --days or --rollup-days')
      return { verb, tenantId: uuid(values.tenant ?? '', '--tenant'), days, rollupDays, by: values.by }
    }
    case 'stale':
      return { verb, tenantId: uuid(values.tenant ?? '', '--tenant'), hours: hoursOf(values.hours), by: values.by }
  }
}

const PROVIDERS_TAKES = {
  add: ['tenant', 'provider', 'name', 'by'],
  list: ['tenant'],
  end: ['by'],
} as const

function providers([what, ...rest]: readonly string[], values: Values): ProvidersArguments {
  if (what !== 'add' && what !== 'list' && what !== 'end') throw new WrongUsage('providers takes add, list or end')
  const takes: readonly string[] = PROVIDERS_TAKES[what]
  if (Object.keys(values).some((name) => !takes.includes(name)) || rest.length !== (what === 'end' ? 1 : 0))
    throw new WrongUsage(
      `providers ${what} takes ${what === 'end' ? 'the id of one callback and ' : ''}${takes.map((name) => `--${name}`).join(', ')}`,
    )
  const by = values.by || undefined
  if (what === 'end') return { verb: 'providers', what, callbackId: uuid(rest[0] ?? '', "a callback's id"), by }
  const tenantId = values.tenant === undefined && what === 'list' ? undefined : uuid(values.tenant ?? '', '--tenant')
  if (what === 'list') return { verb: 'providers', what, tenantId }
  const provider = PROVIDERS.find(({ name }) => name === values.provider)?.name
  if (provider === undefined) throw new WrongUsage(`--provider may be ${PROVIDERS.map(({ name }) => name).join(', ')}`)
  return { verb: 'providers', what, tenantId: tenantId as string, provider, name: values.name || provider, by }
}

type Values = Readonly<Record<string, string | undefined>>

function parsed(verb: (typeof VERBS)[number], args: readonly string[]): { values: Values; positionals: string[] } {
  const options = {
    ...Object.fromEntries(OPTIONS[verb].map((name) => [name, { type: 'string' as const }])),
    ...(verb === 'forget' ? { 'whole-tenant': { type: 'boolean' as const } } : {}),
  }
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const texts = Object.entries(values).map(([name, value]) => [name, value === true ? '' : (value as string)])
    return { values: Object.fromEntries(texts), positionals }
  } catch {
    throw new WrongUsage(
      `${verb} takes ${
        Object.keys(options)
          .map((name) => `--${name}`)
          .join(', ') || 'no options'
      }`,
    )
  }
}

function subject(values: Values) {
  const tenantId = values.tenant === undefined ? undefined : uuid(values.tenant ?? '', '--tenant')
  const kinds = (['number', 'call', 'whole-tenant'] as const).filter((kind) => values[kind] !== undefined)
  if (kinds.length !== 1) throw new WrongUsage('forget takes one of --number, --call and --whole-tenant')
  if (kinds[0] === 'whole-tenant') {
    if (tenantId === undefined) throw new WrongUsage('--whole-tenant takes --tenant ID')
    return { kind: 'tenant' as const, given: tenantId, tenantId }
  }
  const kind = kinds[0] as 'number' | 'call'
  const given = values[kind] ?? ''
  if (given.trim() === '') throw new WrongUsage(`--${kind} must not be empty`)
  return { kind, given, tenantId }
}

function hoursOf(given: string | undefined): number | null {
  if (given === 'usual') return null
  if (given !== undefined && /^\d+$/.test(given) && Number(given) >= 1 && Number(given) <= HOURS_MAX)
    return Number(given)
  throw new WrongUsage(`--hours must be usual, or a whole number from 1 to ${HOURS_MAX}`)
}

function zoneOf(given = ''): string | null {
  if (given === 'none') return null
  if (findTimeZone(given) === undefined) {
    throw new WrongUsage('--zone must be an IANA name such as Europe/Berlin, or none')
  }
  return given
}

function labelsOf(given: string | undefined): readonly string[] | undefined {
  if (given === undefined) return undefined
  const names = given === 'none' ? [] : given.split(',').map((name) => name.trim())
  const { max, namePattern } = LABEL_BOUNDS
  const fits = names.every((name) => new RegExp(namePattern).test(name)) && new Set(names).size === names.length
  if (fits && names.length <= max) return names
  throw new WrongUsage(
    `--set must be none, or 1 to ${max} different names with commas between, of small letters, digits and _, such as campaign,source`,
  )
}

function daysOf(values: Values, name: string, none: string, also: readonly number[]): number | null | undefined {
  const given = values[name]
  if (given === undefined) return undefined
  if (given === none) return null
  const days = Number(given)
  if (/^\d+$/.test(given) && (days >= DAYS_MIN || also.includes(days)) && days < 100_000) return days
  throw new WrongUsage(
    `--${name} must be ${none}, ${also.map((day) => `${day}, `).join('')}or a whole number from ${DAYS_MIN} on`,
  )
}
