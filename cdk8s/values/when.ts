import { Construct } from 'constructs'
import { both } from './compute.ts'
import type { Value } from './value.ts'

/** A part of a manifest that is there on a condition; without `otherwise`, its key or item is left out. */
export class When<T> {
  readonly condition: Value<boolean>
  readonly part: T
  readonly otherwise: T | undefined

  constructor(condition: Value<boolean>, part: T, otherwise?: T) {
    this.condition = condition
    this.part = part
    this.otherwise = otherwise
  }
}

/**
 * An entry of a map, an item of a list, or any other part of a manifest: on a condition, or else another.
 *
 * @example { replicas: when(not(values.autoscaling.enabled), values.replicas) }
 */
export function when<T, U = T>(condition: Value<boolean>, part: T, otherwise?: U): When<T | U> {
  return new When<T | U>(condition, part, otherwise)
}

/** Stands in a list for all the items of another. */
export class Each<T> {
  declare readonly holds: T
  readonly list: Value<readonly T[]>

  constructor(list: Value<readonly T[]>) {
    this.list = list
  }
}

/** All items of a list, as some of those of a list in a manifest. @example [apiPort, each(values.extraPorts)] */
export function each<T>(list: Value<readonly T[]>): Each<T> {
  return new Each(list)
}

/** Whole objects on a condition: those that have this as their scope, however deep. */
export class Conditional extends Construct {
  readonly condition: Value<boolean>

  constructor(scope: Construct, id: string, condition: Value<boolean>) {
    super(scope, id)
    this.condition = condition
  }
}

/** The condition under which a construct is there; undefined when it always is. */
export function conditionOf(construct: Construct): Value<boolean> | undefined {
  const conditions = construct.node.scopes.flatMap((scope) => (scope instanceof Conditional ? [scope.condition] : []))
  return conditions.length === 0 ? undefined : conditions.reduce((a, b) => both(a, b))
}
