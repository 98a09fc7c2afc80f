import { choose, json } from './compute.ts'
import { hasTokens, parseTokens, Value } from './value.ts'
import { When } from './when.ts'

/** A part of a manifest as JSON, for a text in another: what is left out on a condition is null. */
export function jsonText(part: unknown): string {
  if (part instanceof Value) return `${json(part)}`
  if (part instanceof When) {
    const otherwise = part.otherwise === undefined ? 'null' : jsonText(part.otherwise)
    return `${choose(part.condition, jsonText(part.part), otherwise)}`
  }
  if (typeof part === 'string' && hasTokens(part)) return jsonText(new Value(parseTokens(part)))
  if (Array.isArray(part)) return `[${part.map(jsonText).join(',')}]`
  if (typeof part !== 'object' || part === null) return JSON.stringify(part)
  const entries = Object.entries(part).filter(([, inner]) => inner !== undefined)
  return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${jsonText(inner)}`).join(',')}}`
}
