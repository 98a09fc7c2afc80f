/** A case where an alert fires and one where it does not, in promtool's notation: `0+30x10` adds 30 each minute. */
export type AlertCase = {
  /** Without `Hopwhistle`. */
  readonly alert: string
  readonly fires: readonly Series[]
  /** Just below the threshold, or a similar situation that is no problem. */
  readonly isQuiet: readonly Series[]
  /** When the alert is evaluated. */
  readonly afterMinutes: number
  readonly labels: Readonly<Record<string, string>>
  /** The summary that the person on call reads. */
  readonly says: string
  /** Other alerts with the same cause. */
  readonly along?: readonly string[]
}

export type Series = readonly [series: string, values: string]

export const AT = 'namespace="prod", release="hw"'
export const AT_LABELS = { namespace: 'prod', release: 'hw' } as const

const named = (name: string, labels: string) => `${name}{${AT}${labels === '' ? '' : `, ${labels}`}}`

/** A constant value. */
export const stays = (name: string, labels: string, value: number, minutes = 120): Series => [
  named(name, labels),
  `${value}x${minutes}`,
]

/** A counter that rises by this much a minute. */
export const counts = (name: string, labels: string, aMinute: number, minutes = 120): Series => [
  named(name, labels),
  `0+${aMinute}x${minutes}`,
]
