import { empty, not } from '../values/compute.ts'
import type { Value } from '../values/value.ts'

/** Whether a text, list or map was given. */
export const given = (value: Value<unknown>): Value<boolean> => not(empty(value))
