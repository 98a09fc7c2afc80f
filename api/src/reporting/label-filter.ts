import { LABEL_BOUNDS } from '@hopwhistle/contract/calls.ts'
import { InvalidRequest } from '../errors/catalogue.ts'

/** Calls that have this value under a name; null: that have none. */
export type LabelFilter = { readonly name: string; readonly value: string | null }

const NAME = new RegExp(LABEL_BOUNDS.namePattern)

/**
 * Filters as they come in a query string: `campaign:spring`, or `campaign:` for calls without it.
 *
 * @returns sorted, so that the same filters are the same question
 * @throws {InvalidRequest} one that is none, two of one label, or too many
 */
export function parseLabelFilters(given: readonly string[]): readonly LabelFilter[] {
  if (given.length > LABEL_BOUNDS.max)
    throw refusal(`is given ${given.length} times; it may be ${LABEL_BOUNDS.max} times`)
  const values = new Map<string, string | null>()
  for (const text of given) {
    const at = text.indexOf(':')
    const name = text.slice(0, Math.max(at, 0))
    if (!NAME.test(name)) throw refusal(`must be a name, a colon and a value, like campaign:spring`)
    if (values.has(name)) throw refusal(`is given twice for ${name}`)
    values.set(name, at === text.length - 1 ? null : text.slice(at + 1))
  }
  return [...values].map(([name, value]) => ({ name, value })).sort((a, b) => (a.name < b.name ? -1 : 1))
}

const refusal = (message: string) => InvalidRequest([{ field: 'label', message }])

/**
 * The same in SQL, of rows of hopwhistle.calls. No index has labels, so the statement must limit how many rows it reads.
 *
 * @param given takes a value and returns its parameter
 */
export function labelConditions(filters: readonly LabelFilter[], given: (value: unknown) => string): readonly string[] {
  const wanted = filters.filter(({ value }) => value !== null)
  const without = filters.filter(({ value }) => value === null)
  const object = Object.fromEntries(wanted.map(({ name, value }) => [name, value]))
  return [
    ...(wanted.length === 0 ? [] : [`labels @> ${given(JSON.stringify(object))}::jsonb`]),
    ...(without.length === 0
      ? []
      : [`(labels is null or not labels ?| ${given(`{${without.map(({ name }) => name).join(',')}}`)}::text[])`]),
  ]
}
