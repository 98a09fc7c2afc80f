import { RELEASE } from '../values/define.ts'

/** A part of an installation: its objects share a name, and labels by which others find its pods. */
export type Component = {
  /** `mine-postgres` in the installation `mine`: two of them can share a namespace. */
  readonly name: string
  /** What a selector asks for: never changes. */
  readonly selector: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

export function component(name: string, partOf = 'hopwhistle'): Component {
  const selector = {
    'app.kubernetes.io/name': 'hopwhistle',
    'app.kubernetes.io/instance': `${RELEASE.name}`,
    'app.kubernetes.io/component': name,
  }
  return {
    name: `${RELEASE.name}-${name}`,
    selector,
    labels: { ...selector, 'app.kubernetes.io/part-of': partOf, 'app.kubernetes.io/managed-by': 'Helm' },
  }
}
