import { SETTINGS, type SettingSpec } from '../../api/src/config/settings.ts'
import { flag, integer, type Leaf, oneOf, text } from '../values/define.ts'

/** Settings that are no value: ports, addresses, limits that are a server's, and what the API reads off its container. */
const DECIDED = [
  'port',
  'host',
  'reusePort',
  'adminPort',
  'instanceId',
  'databaseUrl',
  'databaseReplicaUrl',
  'redisUrl',
  'redisClusterNodes',
  'redisCaFile',
  'postgresConnections',
  'redisConnections',
  'redisMemoryBytes',
  'memoryBytes',
  // A secret: it comes by api.pod.extraEnv.
  'webhookKeys',
  // A secret, for those who have callbacks: given as a variable of the container.
  'providerSecretsKeys',
] as const satisfies readonly (keyof typeof SETTINGS)[]

/** Where the chart's default is another: its Prometheus reads the admin port. */
const OTHERWISE: Readonly<Record<string, SettingSpec['fallback']>> = { publicMetrics: false }

type SettingName = Exclude<keyof typeof SETTINGS, (typeof DECIDED)[number]>
type FieldOf<S> = Leaf<
  S extends { readonly kind: 'integer' } ? number : S extends { readonly kind: 'flag' } ? boolean : string
>

/** A value for every other setting of the API, from the table that the API itself reads. */
export const SETTING_FIELDS = Object.fromEntries(
  settings().map(([name, spec]) => [
    name,
    fieldOf(name, { ...spec, fallback: OTHERWISE[name] ?? spec.fallback ?? null }),
  ]),
) as {
  readonly [K in SettingName]: FieldOf<(typeof SETTINGS)[K]>
}

/** The names of those settings and of their environment variables. */
export const SETTING_VARIABLES = settings().map(([name, { env }]) => ({ name, env }))

function settings(): readonly (readonly [SettingName, SettingSpec])[] {
  return Object.entries<SettingSpec>(SETTINGS).filter(
    (entry): entry is [SettingName, SettingSpec] => !(DECIDED as readonly string[]).includes(entry[0]),
  )
}

function fieldOf(name: string, { kind, fallback, min, max, oneOf: options, unit, note }: SettingSpec): Leaf<unknown> {
  const described = unit === undefined ? note : `${unit}: ${note}`
  if (kind === 'integer' && typeof fallback === 'number')
    return integer(fallback, described, {
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
    })
  if (kind === 'flag') return flag(fallback === true, described)
  if ((kind === 'text' || kind === 'url' || kind === 'origins' || kind === 'networks') && typeof fallback === 'string')
    return options === undefined ? text(fallback, described) : oneOf(options, fallback, described)
  throw new Error(`the setting ${name} has no default: give it one, or let the chart decide it`)
}
