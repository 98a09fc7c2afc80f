import type { LiveRequest } from '@hopwhistle/contract/live.ts'
import { LIVE_CLIENT_BOUNDS, LIVE_PATTERN_ALL, LIVE_TYPES } from '@hopwhistle/contract/live.ts'
import { maskOfPatterns } from '@hopwhistle/contract/patterns.ts'

const EPOCH_MAX_LENGTH = 64

/** @returns the request, or what is wrong with it, in words that the client's author can act on */
export function parseRequest(text: string): LiveRequest | string {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    return 'the message is not JSON; send one JSON object a frame'
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return 'the message must be a JSON object'
  const { type, patterns, recover } = given as { type?: unknown; patterns?: unknown; recover?: unknown }
  if (type === 'ping') return { type }
  if (type !== 'subscribe' && type !== 'unsubscribe') {
    return `type is ${quote(type)}; it may be subscribe, unsubscribe or ping`
  }
  if (!isPatterns(patterns)) {
    return `patterns is ${quote(patterns)}; it must be 1 to ${LIVE_CLIENT_BOUNDS.patternsMax} of ${LIVE_PATTERN_ALL}, ${LIVE_TYPES.join(', ')}`
  }
  if (type === 'unsubscribe') return { type, patterns }
  if (recover === undefined || recover === null) return { type, patterns }
  if (!isPosition(recover)) {
    return `recover is ${quote(recover)}; it must be {"epoch":"…","offset":n}, as the last frame said`
  }
  return { type, patterns, recover: { epoch: recover.epoch, offset: recover.offset } }
}

function isPatterns(given: unknown): given is readonly string[] {
  return (
    Array.isArray(given) &&
    given.length >= 1 &&
    given.length <= LIVE_CLIENT_BOUNDS.patternsMax &&
    given.every((pattern) => typeof pattern === 'string') &&
    maskOfPatterns(given) !== undefined
  )
}

function isPosition(given: unknown): given is { epoch: string; offset: number } {
  if (typeof given !== 'object' || given === null) return false
  const { epoch, offset } = given as { epoch?: unknown; offset?: unknown }
  return (
    typeof epoch === 'string' &&
    epoch.length <= EPOCH_MAX_LENGTH &&
    Number.isSafeInteger(offset) &&
    (offset as number) >= 0
  )
}

function quote(given: unknown): string {
  const text = JSON.stringify(given) ?? 'missing'
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
