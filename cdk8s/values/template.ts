/** The synthesis for Helm: everything that depends on values, written as a template. */
import type { IResolver, ResolutionContext } from 'cdk8s'
import { operationOf } from './evaluate.ts'
import { type Expression, hasTokens, type Json, type Kind, parseTokens, replaceTokens, Value } from './value.ts'
import { Each, When } from './when.ts'

/** A key that no manifest has: a map with it stands for a value or a condition until the manifest is printed. */
export const SENTINEL = '\uE002'

/** What a `Value` and a `When` look like in a manifest that is still to be printed. */
export type Sentinel =
  | { readonly [SENTINEL]: 'value'; readonly template: string }
  | { readonly [SENTINEL]: 'each'; readonly list: string }
  | { readonly [SENTINEL]: 'when'; readonly condition: string; readonly part: Json; readonly otherwise?: Json }

export function isSentinel(node: unknown): node is Sentinel {
  return typeof node === 'object' && node !== null && SENTINEL in node
}

/** Puts sentinels where `Value`s and `When`s stand. */
export const templatingResolver: IResolver = {
  resolve(context: ResolutionContext) {
    const { value } = context
    if (value instanceof Value) context.replaceValue(sentinel(value.expression))
    else if (value instanceof When) {
      const { condition, part, otherwise } = value
      context.replaceValue({ [SENTINEL]: 'when', condition: template(condition.expression), part, otherwise })
    } else if (value instanceof Each) {
      context.replaceValue({ [SENTINEL]: 'each', list: template(value.list.expression) })
    } else if (typeof value === 'string' && hasTokens(value)) context.replaceValue(sentinel(parseTokens(value)))
  },
}

function sentinel(expression: Expression): Sentinel {
  return { [SENTINEL]: 'value', template: inYaml(expression) }
}

/** A text that is a template already, with those of the values in it. */
export function templatesIn(text: string): string {
  return replaceTokens(text, (expression) => `{{ ${template(expression)} }}`)
}

/** What stands between `{{` and `}}`. */
export function template(expression: Expression): string {
  if ('known' in expression) return literal(expression.known)
  if ('path' in expression) {
    const path = `.${expression.path.join('.')}`
    // Helm reads numbers as floating point, which Go would write as 1e+06.
    if (expression.kind === 'integer') return `${path} | int64`
    // 1 may be given for "1".
    return expression.kind === 'quantity' ? `${path} | toString` : path
  }
  return operationOf(expression.call).template(expression.on.map(word))
}

/** As an operand: in parentheses unless it is one word. */
function word(expression: Expression): string {
  const written = template(expression)
  return 'known' in expression || !/\s/.test(written) ? written : `(${written})`
}

/** So that YAML reads what the expression makes: text in quotes, lists and maps as JSON. */
function inYaml(expression: Expression): string {
  const written = template(expression)
  const kind = kindOf(expression)
  return kind === 'text' || kind === 'quantity'
    ? `${written} | quote`
    : kind === 'data'
      ? `${written} | toJson`
      : written
}

function kindOf(expression: Expression): Kind {
  if ('path' in expression) return expression.kind
  if ('known' in expression) {
    const type = typeof expression.known
    return type === 'string' ? 'text' : type === 'boolean' ? 'flag' : type === 'number' ? 'integer' : 'data'
  }
  const { kind } = operationOf(expression.call)
  if (kind !== 'as its operands') return kind
  const last = expression.on.at(-1)
  if (last === undefined) throw new Error(`${expression.call} has no operands`)
  return kindOf(last)
}

/** Go reads strings with JSON's escapes; lists and maps are operations. */
function literal(known: Json): string {
  if (typeof known === 'object') throw new Error('only text, numbers and flags are written as they are')
  return JSON.stringify(known)
}
