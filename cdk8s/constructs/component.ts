import { nameWithin } from '../values/compute.ts'
import { RELEASE } from '../values/define.ts'
import type { Value } from '../values/value.ts'

/** A part of an installation: its objects share a name, and labels by which others find its pods. */
export type Component = {
  /** `mine-postgres` in the installation `mine`: two of them can share a namespace. */
  readonly name: string
  /** What a selector asks for: never changes. */
  readonly selector: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

/**
 * What a name is for, and how many characters that may have. Kubernetes appends a hash of 10 to the name of a
 * StatefulSet and the time to that of a CronJob, and both have to fit a label.
 */
const LONGEST = { service: 63, statefulSet: 52, cronJob: 52 } as const
/** Of any other object it may have 253, more than a release's and a component's together. */
export type NamedFor = keyof typeof LONGEST | 'object'

export function component(name: string, namedFor: NamedFor, partOf = 'hopwhistle'): Component {
  const selector = {
    'app.kubernetes.io/name': 'hopwhistle',
    'app.kubernetes.io/instance': `${RELEASE.name}`,
    'app.kubernetes.io/component': name,
  }
  return {
    name: nameIn(RELEASE.name, name, namedFor),
    selector,
    labels: { ...selector, 'app.kubernetes.io/part-of': partOf, 'app.kubernetes.io/managed-by': 'Helm' },
  }
}

/** The name of a release's component; what is too long is shortened in the release's part: `mi-1a2b3c4d-postgres`. */
export function nameIn(release: Value<string>, name: string, namedFor: NamedFor): string {
  if (namedFor === 'object') return `${release}-${name}`
  return `${nameWithin(release, LONGEST[namedFor] - name.length - 1)}-${name}`
}

/** `migrate`, as its labels call it. */
export const partOf = ({ labels }: Component): string => labels['app.kubernetes.io/component'] ?? ''
