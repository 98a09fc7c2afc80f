/** The schemas of a CRD, as strict as an API server should be. Pure. */

export type Schema = { readonly [key: string]: unknown }

type Crd = {
  readonly spec: {
    readonly group: string
    readonly names: { readonly kind: string }
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[]
  }
}

/** By `GROUP/VERSION/KIND`. */
export function schemasOfCrd({ spec }: Crd): readonly (readonly [string, Schema])[] {
  return spec.versions.map(({ name, schema }) => [
    `${spec.group}/${name}/${spec.names.kind}`,
    strict(withoutWords(schema.openAPIV3Schema)) as Schema,
  ])
}

/** Without what no manifest of ours is checked by. What Kubernetes itself writes into an object is left out too. */
export function withoutWords(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutWords)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, part]): [string, unknown][] => {
      if (key === 'properties') {
        const { status, managedFields, ...properties } = part as Schema
        return [[key, Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, withoutWords(one)]))]]
      }
      if (key === 'description' || key === 'format' || key === 'default') return []
      if (key.startsWith('x-kubernetes-') && !/int-or-string|preserve-unknown/.test(key)) return []
      // Go's way to write a flag.
      if (key === 'pattern') return [[key, (part as string).replace(/^\^\(\?i\)(.*)\$$/, '^(?i:$1)$')]]
      if (key === '$ref') return [[key, (part as string).replace(/^.*#\/\$defs\//, '#/definitions/')]]
      return [[key, withoutWords(part)]]
    }),
  )
}

/** Refuses fields that a CRD does not know, which an API server would drop without a word. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict)
  if (typeof schema !== 'object' || schema === null) return schema
  const { properties, ...rest } = schema as { readonly properties?: Schema }
  const inner = Object.fromEntries(Object.entries(rest).map(([key, part]) => [key, strict(part)]))
  if (inner['x-kubernetes-int-or-string']) return { type: ['integer', 'string'] }
  if (properties === undefined) return inner
  const known = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, strict(one)]))
  return {
    ...inner,
    properties: known,
    ...(inner['x-kubernetes-preserve-unknown-fields'] ? {} : { additionalProperties: false }),
  }
}

/** Shorter ones stay where they are. */
const WORTH_SHARING = 120

/**
 * The same schema with each part that it has more than once in its `definitions`. A TestRun has the fields of a pod three
 * times, and each of those has the fields of a container and of an affinity several times.
 */
export function shared(schema: Schema): Schema {
  const counts = new Map<string, number>()
  const count = (part: unknown) => {
    if (typeof part !== 'object' || part === null) return
    const text = JSON.stringify(part)
    const seen = counts.get(text) ?? 0
    counts.set(text, seen + 1)
    // What is in a part that was seen before is shared with it.
    if (seen === 0) for (const inner of Object.values(part)) count(inner)
  }
  count(schema)
  const names = new Map<string, string>()
  const definitions: Record<string, unknown> = {}
  const share = (part: unknown, name: string): unknown => {
    if (typeof part !== 'object' || part === null) return part
    const text = JSON.stringify(part)
    const isSchema = !Array.isArray(part) && typeof (part as Schema).type === 'string'
    const inner = () =>
      Array.isArray(part)
        ? part.map((one) => share(one, name))
        : Object.fromEntries(Object.entries(part).map(([key, one]) => [key, share(one, key === 'items' ? name : key)]))
    if (!isSchema || text.length < WORTH_SHARING || counts.get(text) === 1) return inner()
    let given = names.get(text)
    if (given === undefined) {
      given = name in definitions ? `${name}-${names.size}` : name
      names.set(text, given)
      definitions[given] = {}
      definitions[given] = inner()
    }
    return { $ref: `#/definitions/${given}` }
  }
  const root = share(schema, 'root') as Schema
  return { ...root, definitions }
}
