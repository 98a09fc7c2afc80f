import type { Json } from '../../values/value.ts'

/** Values of a chart with flags turned on and names of Secrets given: what it can render beyond its defaults. */
export function switchedOn(value: Json): Json {
  if (value === false) return true
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, name === 'existingSecret' ? 'given' : switchedOn(part)]),
  )
}
