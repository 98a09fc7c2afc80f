/**
 * Array literals of Postgres. `pg` can make them too, by way of an array of escaped strings for each; a batch has
 * ten arrays of up to 500, and this takes a fifth of the time.
 */

/** Quotes every value, so that a text that reads NULL stays a text; `undefined` becomes NULL. */
export function textArray<T>(items: readonly T[], of: (item: T) => string | undefined): string {
  let literal = ''
  for (const item of items) {
    const value = of(item)
    literal += value === undefined ? ',NULL' : `,"${escapeText(value)}"`
  }
  return `{${literal.slice(1)}}`
}

/** For values that need no quotes: numbers and UUIDs. */
export function plainArray<T>(items: readonly T[], of: (item: T) => string | number | undefined): string {
  let literal = ''
  for (const item of items) literal += `,${of(item) ?? 'NULL'}`
  return `{${literal.slice(1)}}`
}

const SPECIAL = /["\\]/
function escapeText(value: string): string {
  return SPECIAL.test(value) ? value.replace(/["\\]/g, '\\$&') : value
}
