import { LIVE_PATTERN_ALL, LIVE_TYPES } from './live.ts'

/**
 * What a socket is subscribed to, as a set of bits: one for each type, and one for types that only a newer
 * instance knows, which `call.*` includes. Sockets with the same bits get the same frames.
 */
export type TypeMask = number

const BIT_OF_TYPE: ReadonlyMap<string, TypeMask> = new Map(LIVE_TYPES.map((type, index) => [type, 1 << index]))
const BIT_OF_UNKNOWN: TypeMask = 1 << LIVE_TYPES.length

export const MASK_NONE: TypeMask = 0
export const MASK_ALL: TypeMask = (BIT_OF_UNKNOWN << 1) - 1

export function bitOfType(type: string): TypeMask {
  return BIT_OF_TYPE.get(type) ?? BIT_OF_UNKNOWN
}

/** What the patterns stand for together. Undefined for one that matches nothing there is. */
export function maskOfPatterns(patterns: Iterable<string>): TypeMask | undefined {
  let mask = MASK_NONE
  for (const pattern of patterns) {
    const bits = pattern === LIVE_PATTERN_ALL ? MASK_ALL : BIT_OF_TYPE.get(pattern)
    if (bits === undefined) return undefined
    mask |= bits
  }
  return mask
}
