import type { IResolver, ResolutionContext } from 'cdk8s'
import { merged } from './compute.ts'
import { Value } from './value.ts'
import { When } from './when.ts'

/** A key that no manifest has: what it holds is merged into the map around it. */
const SPREAD = '\uE003'

/**
 * cdk8s adds labels of its own to those of an object, by spreading both; a value cannot be spread, so it travels under
 * a key until the map is resolved.
 */
export function spreadable<T>(map: T): T | object {
  return map instanceof Value || map instanceof When ? { [SPREAD]: map } : map
}

/** Merges what travelled into the map around it. */
export const spreadResolver: IResolver = {
  resolve(context: ResolutionContext) {
    const { value } = context
    if (typeof value !== 'object' || !(SPREAD in value)) return
    const { [SPREAD]: spread, ...rest } = value
    context.replaceValue(Object.keys(rest).length === 0 ? spread : merged(rest, spread))
  },
}
