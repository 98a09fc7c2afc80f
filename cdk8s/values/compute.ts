/** Functions that compute values from values: what a person writes for an expression. See operations.ts. */
import { type Kind, toExpression, Value } from './value.ts'

/** A value, or what it would be. */
export type Operand<T> = T | Value<T>

const compute =
  <T>(call: string) =>
  (...operands: readonly unknown[]): Value<T> =>
    new Value({ call, on: operands.map(toExpression) })

/** @example not(values.redis.enabled) */
export const not: (a: Operand<boolean>) => Value<boolean> = compute('not')
/** @example both(values.backup.enabled, empty(values.backup.s3.bucket)) */
export const both: (a: Operand<boolean>, b: Operand<boolean>) => Value<boolean> = compute('both')
export const either: (a: Operand<boolean>, b: Operand<boolean>) => Value<boolean> = compute('either')
/** @example same(values.service.type, 'NodePort') */
export const same: <T extends string | number>(a: Operand<T>, b: Operand<T>) => Value<boolean> = compute('same')
export const greater: (a: Operand<number>, b: Operand<number>) => Value<boolean> = compute('greater')
/** Whether it is "", 0, false, or a list or map without entries. */
export const empty: (a: Value<unknown>) => Value<boolean> = compute('empty')

/** Whole numbers, exact below 2 ** 53. @example sum(product(values.pool, values.replicas), 10) */
export const sum: (...terms: readonly Operand<number>[]) => Value<number> = compute('sum')
export const smaller: (a: Operand<number>, b: Operand<number>) => Value<number> = compute('smaller')
export const larger: (a: Operand<number>, b: Operand<number>) => Value<number> = compute('larger')
export const difference: (a: Operand<number>, b: Operand<number>) => Value<number> = compute('difference')
export const quotient: (dividend: Operand<number>, divisor: Operand<number>) => Value<number> = compute('quotient')
export const product: (...factors: readonly Operand<number>[]) => Value<number> = compute('product')

/**
 * A quantity of Kubernetes as a whole number: bytes of `2Gi`. What is left over is dropped; of hundreds of `Ti`, where a
 * 64-bit float has no room for it, it may be rounded up.
 */
export const amount: (quantity: Operand<string>) => Value<number> = compute('amount')

/** The same in thousandths, of which CPU may have some: 500 of `500m`. To compare amounts with. */
export const thousandths: (quantity: Operand<string>) => Value<number> = compute('thousandths')

/**
 * One of two plain values; `when` chooses between parts of a manifest.
 *
 * @example choose(values.tls, 'https', 'http')
 */
export const choose: <T>(condition: Value<boolean>, then: Operand<T>, otherwise: Operand<T>) => Value<T> = compute(
  'choose',
) as never
/** Whatever matches a regular expression, which has no backslashes; `${1}` is what its first group matched. */
export const replaced: (text: Operand<string>, pattern: string, replacement: Operand<string>) => Value<string> =
  compute('replaced')
/** Its JSON, with the keys of maps in order. */
export const json: (value: Operand<unknown>) => Value<string> = compute('json')
export const sha256: (text: Operand<string>) => Value<string> = compute('sha256')
/**
 * A name of at most so many characters that a Service may begin with: letters, digits and dashes, a letter first. One
 * that is so already stays as it is; of any other a part remains, with a hash of all of it: `my.app` is `my-app-1a2b3c4d`.
 */
export const nameWithin: (name: Operand<string>, most: number) => Value<string> = compute('nameWithin')

/** One entry of a map that may lack it; then it is empty. */
export function entryOf<T>(map: Value<T>, name: keyof T & string, kind: Kind): Value<never> {
  const { expression } = map
  if (!('path' in expression)) throw new Error(`${name} is looked up in a map that is computed`)
  return new Value({ path: [...expression.path, name], kind })
}
/** The first, or the second if that is empty. */
export const orElse: <T>(value: Value<T>, otherwise: Operand<T>) => Value<T> = compute('orElse') as never
/** References to objects; those that are given by name alone, as `{name}`. */
export const references: <T>(names: Value<readonly (string | T)[]>) => Value<readonly T[]> = compute(
  'references',
) as never

/** One list after the other. */
export const appended: <T>(...lists: readonly (Value<readonly T[]> | readonly unknown[])[]) => Value<readonly T[]> =
  compute('appended') as never
/** Maps into one; for a key that several have, the last one's entry. */
export const merged: <T = string>(
  ...maps: readonly (Value<Readonly<Record<string, T>>> | Readonly<Record<string, Operand<T>>>)[]
) => Value<Readonly<Record<string, T>>> = compute('merged') as never

/** The content of one of the chart's files. Nothing in it is a template to Helm. */
export function fileContent(path: Operand<string>): Value<string> {
  return new Value({ call: 'file', on: [{ path: ['Files'], kind: 'data' }, toExpression(path)] })
}

/** What YAML says, for a manifest to contain it as its own. */
export const parsed: (yaml: Operand<string>) => Value<never> = compute('parsed')

/** Storage that the one volume of a StatefulSet in the cluster was made with; empty where there is none. */
export const claimed: (statefulSet: Operand<string>) => Value<string> = compute('claimed')
