import { createHash } from 'node:crypto'
import { json, replaced, sha256 } from './compute.ts'
import { hasTokens, parseTokens, Value } from './value.ts'
import { Each, When } from './when.ts'

const DIGITS = 8
const FIRST_DIGITS = `^(.{${DIGITS}}).*$`
const FIRST_GROUP = '$' + '{1}'

/**
 * Eight hexadecimal digits over a part of a manifest: the same for the same manifest, others once anything in it
 * changes. For the name of what cannot be changed, such as a Job.
 */
export function fingerprint(part: unknown): Value<string> {
  const values = new Map<string, Value<unknown>>()
  const known = JSON.stringify(withoutValues(part, (value) => values.set(JSON.stringify(value.expression), value)))
  const digest = createHash('sha256').update(known).digest('hex').slice(0, DIGITS)
  return replaced(
    sha256(`${digest}${[...values.values()].map((value) => json(value)).join('')}`),
    FIRST_DIGITS,
    FIRST_GROUP,
  )
}

/** What is known now, with a trace of each value in its place. */
function withoutValues(part: unknown, found: (value: Value<unknown>) => void): unknown {
  const within = (inner: unknown) => withoutValues(inner, found)
  if (part instanceof Value) {
    found(part)
    return part.expression
  }
  if (part instanceof When) return [part.condition, part.part, part.otherwise].map(within)
  if (part instanceof Each) return ['each', within(part.list)]
  if (typeof part === 'string') return hasTokens(part) ? within(new Value(parseTokens(part))) : part
  if (Array.isArray(part)) return part.map(within)
  if (typeof part !== 'object' || part === null) return part
  return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, within(inner)]))
}
