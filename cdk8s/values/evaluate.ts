/** The plain synthesis: everything that depends on values, computed. */
import type { IResolver, ResolutionContext } from 'cdk8s'
import { OPERATIONS } from './operations.ts'
import { type Expression, hasTokens, type Json, parseTokens, Value } from './value.ts'
import { Each, When } from './when.ts'

/** What Helm's templates call `.`: Values, Release and the rest, by name. */
export type Installation = { readonly [name: string]: Json }

/** @throws for a value that the installation does not have */
export function evaluate(expression: Expression, installation: Installation): Json {
  if ('known' in expression) return expression.known
  if ('path' in expression) {
    const found = lookUp(expression.path, installation)
    // What Go makes of nothing, should it be asked.
    return expression.kind === 'quantity' ? String(found ?? '<nil>') : found
  }
  const operands = expression.on.map((operand) => evaluate(operand, installation))
  return (operationOf(expression.call).evaluate as (...operands: readonly Json[]) => Json)(...operands)
}

export function operationOf(name: string) {
  const operation = OPERATIONS[name]
  if (operation === undefined) throw new Error(`there is no operation ${name}`)
  return operation
}

function lookUp(path: readonly string[], installation: Installation): Json {
  let found: Json | undefined = installation
  for (const name of path) {
    if (found === undefined) throw new Error(`.${path.join('.')} is not known`)
    found = (found as { readonly [key: string]: Json })[name]
  }
  // As for Helm, what a map lacks is nothing.
  return found ?? null
}

/** Puts concrete values where `Value`s and `When`s stand. */
export function evaluatingResolver(installation: Installation): IResolver {
  const part = (value: unknown): unknown => {
    if (!(value instanceof When)) return value
    return part(evaluate(value.condition.expression, installation) === true ? value.part : value.otherwise)
  }
  const items = (item: unknown): unknown =>
    item instanceof Each ? evaluate(item.list.expression, installation) : [part(item)]
  return {
    resolve(context: ResolutionContext) {
      const { value } = context
      if (value instanceof Value) context.replaceValue(evaluate(value.expression, installation))
      else if (value instanceof When) context.replaceValue(part(value))
      else if (typeof value === 'string' && hasTokens(value))
        context.replaceValue(evaluate(parseTokens(value), installation))
      // An item that is not there must not leave a hole.
      else if (Array.isArray(value) && value.some((item) => item instanceof When || item instanceof Each))
        context.replaceValue(value.flatMap(items).filter((item) => item !== undefined))
    },
  }
}
