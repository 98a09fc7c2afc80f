/** One alert, seen firing and seen not firing, in the notation of promtool: `0+30x10` counts up by 30 each minute. */
export type AlertCase = {
  /** Without `Hopwhistle`. */
  readonly alert: string
  readonly fires: readonly Series[]
  /** As near to firing as it may be, or what looks like it and is not. */
  readonly isQuiet: readonly Series[]
  /** When it is looked at. */
  readonly afterMinutes: number
  readonly labels: Readonly<Record<string, string>>
  /** What the person reads who is woken. */
  readonly says: string
  /** Others that fire by the same cause. */
  readonly along?: readonly string[]
}

export type Series = readonly [series: string, values: string]

export const AT = 'namespace="prod", release="hw"'
export const AT_LABELS = { namespace: 'prod', release: 'hw' } as const

const named = (name: string, labels: string) => `${name}{${AT}${labels === '' ? '' : `, ${labels}`}}`

/** A value that stays. */
export const stays = (name: string, labels: string, value: number, minutes = 120): Series => [
  named(name, labels),
  `${value}x${minutes}`,
]

/** A counter that rises by so much a minute. */
export const counts = (name: string, labels: string, aMinute: number, minutes = 120): Series => [
  named(name, labels),
  `0+${aMinute}x${minutes}`,
]
