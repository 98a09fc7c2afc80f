import { LABEL_BOUNDS } from '@hopwhistle/contract/calls.ts'
import { isLongerThan } from '../errors/is-longer-than.ts'
import type { FieldError } from '../errors/problem.ts'
import { unstorableText } from './unstorable.ts'

/**
 * What an event says of its call under names that its tenant has declared: its campaign, source, agent …
 *
 * A call has, under each name, the value of the event that occurred last; of those that occurred in the same millisecond, the
 * greater text. So the order in which they come does not matter.
 */
export type Labels = Readonly<Record<string, string>>

export type ParsedLabels = {
  /** Absent when there are none. */
  readonly labels?: Labels
  /** Labels that there are too many of, or that are too long. */
  readonly refused: readonly FieldError[]
}

const NONE: ParsedLabels = { refused: [] }

/**
 * Whether the tenant has declared their names is asked later: see TenantLabels.
 *
 * @param errors gets what is no label at all
 */
export function parseLabels(value: unknown, errors: FieldError[]): ParsedLabels {
  if (value === undefined || value === null) return NONE
  if (typeof value !== 'object' || Array.isArray(value)) {
    errors.push({ field: 'labels', message: 'must be an object of names and texts' })
    return NONE
  }
  // null is as good as nothing, for one of them as for all.
  const given = Object.entries(value).filter(([, text]) => text !== null)
  if (given.length === 0) return NONE
  const { max, valueMaxLength } = LABEL_BOUNDS
  if (given.length > max) {
    return { refused: [{ field: 'labels', message: `has ${given.length} labels; it may have at most ${max}` }] }
  }
  const refused: FieldError[] = []
  for (const [name, text] of given) {
    const field = `labels.${shorten(name)}`
    if (typeof text !== 'string' || text === '') {
      errors.push({ field, message: `must be text of 1 to ${valueMaxLength} characters` })
    } else if (isLongerThan(valueMaxLength, text)) {
      refused.push({ field, message: `has ${text.length} characters; it may have at most ${valueMaxLength}` })
    } else {
      const why = unstorableText(text)
      if (why !== undefined) errors.push({ field, message: why })
    }
  }
  // Not by assignment: `__proto__` is a name like any other, until the tenant is found not to have declared it.
  return { labels: Object.fromEntries(given) as Labels, refused }
}

/**
 * Labels are kept with the metadata of their event, as `[labels, metadata]`; metadata alone is always an object. So an event
 * without labels is written by the very statements that were there before labels were, at their cost.
 *
 * @param metadata JSON text of an object
 */
export function withLabels(labels: Labels | undefined, metadata: string | undefined): string | undefined {
  return labels === undefined ? metadata : `[${JSON.stringify(labels)},${metadata ?? 'null'}]`
}

const shorten = (name: string): string => (name.length > 40 ? `${name.slice(0, 40)}…` : name)
