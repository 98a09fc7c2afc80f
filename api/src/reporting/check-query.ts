import type { Static, TObject } from 'typebox'
import { InvalidRequest } from '../errors/catalogue.ts'
import { isLongerThan } from '../errors/is-longer-than.ts'
import type { FieldError } from '../errors/problem.ts'

/** What is known of a parameter; the part of JSON Schema that query strings need. */
type Parameter = {
  readonly type?: string
  /** Of an array, which is given as the same parameter several times. */
  readonly items?: Parameter
  readonly enum?: readonly string[]
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
}

/**
 * Checks the parameters of a query string or a path by their schema, and turns numbers into numbers.
 *
 * @throws {InvalidRequest} naming every parameter that cannot be, and what it may be
 */
export function checkQuery<T extends TObject>(schema: T, given: unknown): Static<T> {
  const query = given as Readonly<Record<string, unknown>>
  const errors: FieldError[] = []
  const checked: Record<string, string | number | readonly string[]> = {}
  for (const [field, value] of Object.entries(query)) {
    const parameter = Object.hasOwn(schema.properties, field) ? (schema.properties[field] as Parameter) : undefined
    const outcome = parameter === undefined ? unknown(schema) : check(parameter, value)
    if (isProblem(outcome)) errors.push({ field, message: outcome.problem })
    else checked[field] = outcome
  }
  for (const field of schema.required ?? []) if (!(field in query)) errors.push(missing(schema, field))
  if (errors.length > 0) throw InvalidRequest(errors)
  return checked as Static<T>
}

type Outcome = string | number | readonly string[] | { readonly problem: string }

const isProblem = (outcome: Outcome): outcome is { readonly problem: string } =>
  typeof outcome === 'object' && 'problem' in outcome

function check(parameter: Parameter, value: unknown): Outcome {
  if (parameter.items !== undefined) return checkEach(parameter.items, [value].flat())
  if (typeof value !== 'string') return { problem: 'is given more than once' }
  if (parameter.enum !== undefined) {
    return parameter.enum.includes(value)
      ? value
      : { problem: `is ${quote(value)}; it may be ${parameter.enum.join(', ')}` }
  }
  if (parameter.type === 'integer') {
    const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = parameter
    const number = Number(value)
    const fits = /^\d{1,15}$/.test(value) && number >= minimum && number <= maximum
    return fits ? number : { problem: `is ${quote(value)}; it may be a whole number from ${minimum} to ${maximum}` }
  }
  const { minLength = 0, maxLength = Number.MAX_SAFE_INTEGER } = parameter
  if (value.length < minLength || isLongerThan(maxLength, value)) {
    return { problem: `has ${value.length} characters; it may have ${minLength} to ${maxLength}` }
  }
  // Postgres has no text with a NUL in it, so nothing can ever be found by one.
  return value.includes('\0') ? { problem: 'has a NUL character in it' } : value
}

function checkEach(items: Parameter, values: readonly unknown[]): Outcome {
  const outcomes = values.map((value) => check(items, value))
  return outcomes.find(isProblem) ?? outcomes.map(String)
}

function unknown(schema: TObject): Outcome {
  const names = Object.keys(schema.properties)
  return {
    problem: `is not a parameter of this request; there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`,
  }
}

function missing(schema: TObject, field: string): FieldError {
  const allowed = (schema.properties[field] as Parameter).enum
  return { field, message: allowed === undefined ? 'is missing' : `is missing; it may be ${allowed.join(', ')}` }
}

function quote(value: string): string {
  return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value)
}
