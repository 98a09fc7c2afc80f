import { defaultsOf } from '../../values/define.ts'
import type { HelmChart } from '../../values/helm-chart.ts'
import type { Json } from '../../values/value.ts'

export type Tree = { readonly [name: string]: Json }

/** Values of a chart with flags turned on and names of Secrets given: what it can render beyond its defaults. */
export function switchedOn(value: Json): Json {
  if (value === false) return true
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, name === 'existingSecret' ? 'given' : switchedOn(part)]),
  )
}

/** What would take the place of pods of a chart's own. */
const ELSEWHERE = [
  ['postgres', 'external', 'enabled', false],
  ['redis', 'external', 'enabled', false],
  ['operator', 'enabled', false],
  ['credentials', 'existingSecret', ''],
] as const

/** All that a chart renders when nothing that it needs is elsewhere. */
export function everythingOfItsOwn(chart: HelmChart): Tree {
  const defaults = defaultsOf(chart.values)
  return ELSEWHERE.reduce((tree, [...path]) => {
    const value = path.pop() as Json
    const has = (path as string[]).reduce<unknown>((part, name) => (part as Tree | undefined)?.[name], defaults)
    return has === undefined ? tree : withAt(tree, path as string[], value)
  }, switchedOn(defaults) as Tree)
}

export function withAt(tree: Tree, [first = '', ...rest]: readonly string[], value: Json): Tree {
  return { ...tree, [first]: rest.length === 0 ? value : withAt((tree[first] ?? {}) as Tree, rest, value) }
}
