/** What a value may be once it is known, and whatever is built of such. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** How a value is written into YAML, and which operations it takes part in. */
export type Kind = 'integer' | 'flag' | 'text' | 'quantity' | 'data'

/** How a value comes about: pure data, which `evaluate` computes and `template` writes down for Helm. */
export type Expression =
  | { readonly known: Json }
  /** `['Values', 'api', 'replicas']` is what Helm calls `.Values.api.replicas`. */
  | { readonly path: readonly string[]; readonly kind: Kind }
  | { readonly call: string; readonly on: readonly Expression[] }

/**
 * A value that is known once somebody installs the chart: one of values.yaml, or computed from some.
 *
 * It stands in a manifest where its `T` would. Inside a string it is written as usual, `redis://${host}:6379`. That it
 * is no `T` is the point: `replicas * 2` and `replicas > 3` do not compile, for Helm would know nothing of them;
 * `product(replicas, 2)` does.
 */
export class Value<T> {
  declare readonly holds: T
  readonly expression: Expression

  constructor(expression: Expression) {
    this.expression = expression
  }

  /** A token that stands for the value, as text, inside a longer string. */
  toString(): string {
    return `${OPEN}${Buffer.from(JSON.stringify(this.expression)).toString('base64url')}${CLOSE}`
  }
}

/** Characters for private use: no manifest has them. */
const OPEN = '\uE000'
const CLOSE = '\uE001'
const TOKEN = new RegExp(`${OPEN}([\\w-]*)${CLOSE}`)

export function hasTokens(text: string): boolean {
  return text.includes(OPEN)
}

/** A string with tokens, as the text that they and what is between them make. */
export function parseTokens(text: string): Expression {
  // Split by a pattern with a group, the odd ones are what the group found.
  const parts = text
    .split(TOKEN)
    .map(
      (part, i): Expression => (i % 2 === 0 ? { known: part } : JSON.parse(Buffer.from(part, 'base64url').toString())),
    )
  return { call: 'text', on: parts.filter((part) => !('known' in part && part.known === '')) }
}

/** A string with something else in the place of each token. */
export function replaceTokens(text: string, by: (expression: Expression) => string): string {
  return text.replace(new RegExp(TOKEN, 'g'), (_, token: string) =>
    by(JSON.parse(Buffer.from(token, 'base64url').toString())),
  )
}

/** What stands in a manifest or as an operand, as an expression: literals, values, and lists and maps of them. */
export function toExpression(operand: unknown): Expression {
  if (operand instanceof Value) return operand.expression
  if (typeof operand === 'string') return hasTokens(operand) ? parseTokens(operand) : { known: operand }
  if (operand === null || typeof operand === 'number' || typeof operand === 'boolean') return { known: operand }
  if (Array.isArray(operand)) return { call: 'list', on: operand.map(toExpression) }
  if (typeof operand === 'object' && Object.getPrototypeOf(operand) === Object.prototype) {
    const entries = Object.entries(operand).filter(([, value]) => value !== undefined)
    return { call: 'map', on: entries.flatMap(([key, value]) => [{ known: key }, toExpression(value)]) }
  }
  throw new Error(`${operand} cannot be part of an expression`)
}
