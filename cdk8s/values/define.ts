/**
 * The definition of a chart's values: name, type, default, description and bounds of each, said once. From it come
 * what constructs build with, values.yaml and values.schema.json.
 */

import * as compute from './compute.ts'
import type { Json, Kind } from './value.ts'
import { Value } from './value.ts'
import { when } from './when.ts'

export type Schema = { readonly [key: string]: Json }

/** One value. Its JSON schema has the bounds. */
export type Leaf<T> = {
  readonly fallback: T
  readonly kind: Kind
  readonly note: string
  readonly schema: Schema
  /** May be null, and is left out of manifests then. @default false */
  readonly optional?: boolean
}
export type Section<F extends Fields = Fields> = {
  readonly note: string
  readonly fields: F
  /** Others may be in it too, of which this chart knows nothing. @default false */
  readonly open?: boolean
}
export type Fields = { readonly [name: string]: Leaf<unknown> | Section }

/** What constructs build with: the same tree, each leaf a `Value`. */
export type ValuesOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Section<infer G> ? ValuesOf<G> : F[K] extends Leaf<infer T> ? Value<T> : never
}

/**
 * Values that belong together.
 *
 * @example section('Redis of the release', { enabled: flag(true, 'false: an external Redis') })
 */
export function section<F extends Fields>(note: string, fields: F, open?: 'open'): Section<F> {
  return { note, fields, ...(open === undefined ? {} : { open: true }) }
}

type Bounds = { readonly min?: number; readonly max?: number }

/** A whole number. @example integer(3, 'Pods of the API', { min: 1 }) */
export function integer(fallback: number, note: string, { min, max }: Bounds = {}): Leaf<number> {
  const bounds = { ...(min === undefined ? {} : { minimum: min }), ...(max === undefined ? {} : { maximum: max }) }
  return { fallback, kind: 'integer', note, schema: { type: 'integer', ...bounds } }
}

/** A switch. @example flag(false, 'Base backups and WAL, with pgBackRest') */
export function flag(fallback: boolean, note: string): Leaf<boolean> {
  return { fallback, kind: 'flag', note, schema: { type: 'boolean' } }
}

/** A string; a pattern must match all of it. @example text('', 'Name of a Secret', /[a-z0-9.-]+/) */
export function text(fallback: string, note: string, pattern?: RegExp): Leaf<string> {
  return {
    fallback,
    kind: 'text',
    note,
    schema: { type: 'string', ...(pattern && { pattern: `^(?:${pattern.source})$` }) },
  }
}

/** The name of an object that is there already; empty: none. */
export function name(note: string, fallback = ''): Leaf<string> {
  const pattern = /(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*)?/
  const { schema, ...leaf } = text(fallback, note, pattern)
  return { ...leaf, schema: { ...schema, maxLength: 253 } }
}

/** An image, with its tag or digest. */
export function image(fallback: string, note: string): Leaf<string> {
  return text(fallback, note, /[^\s]+/)
}

/** A port of every node, as Kubernetes gives them out; 0: it chooses one. */
export function nodePort(note: string): Leaf<number> {
  const schema = { type: 'integer', anyOf: [{ const: 0 }, { minimum: 30000, maximum: 32767 }] }
  return { fallback: 0, kind: 'integer', note, schema }
}

/** What may stand in one of the five fields: values from and to, lists, ranges and steps, or names. */
function cronField(value: string, names?: string): string {
  const one = names === undefined ? value : `(?:${value}|${names})`
  const part = `(?:\\*|${one}(?:-${one})?)(?:/[1-9]\\d?)?`
  return `(?:\\?|${part}(?:,${part})*)`
}
const MONTHS =
  '[Jj][Aa][Nn]|[Ff][Ee][Bb]|[Mm][Aa][Rr]|[Aa][Pp][Rr]|[Mm][Aa][Yy]|[Jj][Uu][Nn]|[Jj][Uu][Ll]|[Aa][Uu][Gg]|[Ss][Ee][Pp]|[Oo][Cc][Tt]|[Nn][Oo][Vv]|[Dd][Ee][Cc]'
const DAYS = '[Ss][Uu][Nn]|[Mm][Oo][Nn]|[Tt][Uu][Ee]|[Ww][Ee][Dd]|[Tt][Hh][Uu]|[Ff][Rr][Ii]|[Ss][Aa][Tt]'
const CRON = [
  cronField('[0-5]?\\d'),
  cronField('(?:[01]?\\d|2[0-3])'),
  cronField('(?:0?[1-9]|[12]\\d|3[01])'),
  cronField('(?:0?[1-9]|1[0-2])', MONTHS),
  cronField('0?[0-6]', DAYS),
].join('\\s+')

/** When a CronJob runs. */
export function cron(fallback: string, note: string): Leaf<string> {
  return text(
    fallback,
    note,
    new RegExp(`@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)|@every [1-9]\\d*[hm]|\\s*${CRON}\\s*`),
  )
}

/** One of these strings. @example oneOf(['ClusterIP', 'NodePort'], 'ClusterIP', 'Type of the service') */
export function oneOf<const T extends string>(options: readonly T[], fallback: NoInfer<T>, note: string): Leaf<T> {
  return { fallback, kind: 'text', note, schema: { type: 'string', enum: options } }
}

const UNIT = '(?:m|k|M|G|T|Ki|Mi|Gi|Ti)?'
const AMOUNT = new RegExp(`\\d+(?:\\.\\d+)?${UNIT}`)
const MORE_THAN_NOTHING = new RegExp(`(?:\\d*[1-9]\\d*(?:\\.\\d+)?|\\d+\\.\\d*[1-9]\\d*)${UNIT}`)

/** An amount of memory or of a volume as Kubernetes writes it, more than nothing. @example quantity('20Gi', 'Size of its volume') */
export function quantity(fallback: string, note: string): Leaf<string> {
  return { ...text(fallback, note, MORE_THAN_NOTHING), kind: 'quantity' }
}

/** An amount of CPU: 500m, 1.5, or the number 1.5. */
function cpu(fallback: string, note: string, pattern: RegExp, orNone: boolean): Leaf<string> {
  const { schema } = text(fallback, note, pattern)
  const number = { type: 'number', ...(pattern === AMOUNT ? { minimum: 0 } : { exclusiveMinimum: 0 }) }
  const anyOf = [schema, number, ...(orNone ? [{ type: 'null' }] : [])]
  return { fallback, kind: 'quantity', note, schema: { anyOf }, ...(orNone ? { optional: true } : {}) }
}

/** Strings by name, such as labels. @example textMap({}, 'Node selector of the pods') */
export function textMap(
  fallback: Readonly<Record<string, string>>,
  note: string,
): Leaf<Readonly<Record<string, string>>> {
  return { fallback, kind: 'data', note, schema: { type: 'object', additionalProperties: { type: 'string' } } }
}

/** A map as Kubernetes has it; `schema` says more of it. */
export function mapping<T>(note: string, schema: Schema = {}): Leaf<T> {
  return { fallback: {} as T, kind: 'data', note, schema: { type: 'object', ...schema } }
}

/** Some of these fields, none by default: `entryOf` is one of them. */
export function overrides<T>(note: string, fields: Readonly<Record<string, Leaf<unknown>>>): Leaf<T> {
  const properties = Object.entries(fields).map(([name, { note: description, schema }]) => [
    name,
    { description, ...schema },
  ])
  const schema = { type: 'object', additionalProperties: false, properties: Object.fromEntries(properties) }
  return { fallback: {} as T, kind: 'data', note, schema }
}

const LABEL_VALUE = '^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$'
const LABEL_NAME = '^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'

/** Labels, with names and values that Kubernetes takes. */
export function labels(note: string): Leaf<Readonly<Record<string, string>>> {
  const values = { type: 'string', pattern: LABEL_VALUE }
  return { ...annotations(note), schema: { ...annotations(note).schema, additionalProperties: values } }
}

/** Annotations, with names that Kubernetes takes. */
export function annotations(note: string): Leaf<Readonly<Record<string, string>>> {
  const leaf = textMap({}, note)
  return { ...leaf, schema: { ...leaf.schema, propertyNames: { pattern: LABEL_NAME } } }
}

/** A list; `items` is the JSON schema of each. @example list<string>([], 'Pull secrets', { type: 'string' }) */
export function list<T>(fallback: readonly T[], note: string, items: Schema): Leaf<readonly T[]> {
  return { fallback, kind: 'data', note, schema: { type: 'array', items } }
}

/** Requests and limits of a container. */
export function resources(
  note: string,
  given: { readonly [K in 'requests' | 'limits']: { cpu: string; memory: string } },
) {
  const { requests, limits } = given
  return section(note, {
    requests: section('Reserved on the node', {
      cpu: cpu(requests.cpu, 'Cores, or thousandths of a core with m', AMOUNT, false),
      memory: { ...text(requests.memory, 'Bytes', AMOUNT), kind: 'quantity' } as Leaf<string>,
    }),
    limits: section('Upper limits', {
      cpu: cpu(limits.cpu, 'Cores, or thousandths of a core with m; null: no limit', MORE_THAN_NOTHING, true),
      memory: quantity(limits.memory, 'Bytes'),
    }),
  })
}

export function isSection(field: Leaf<unknown> | Section): field is Section {
  return 'fields' in field
}

/** Read from values.yaml as something else than a name. */
const YAML_KEYWORD = /^(y|yes|n|no|on|off|true|false|null)$/

/** The values of a definition, for constructs to build with. @throws for a name that Helm could not look up */
export function valuesOf<F extends Fields>(fields: F, path: readonly string[] = ['Values']): ValuesOf<F> {
  const entries = Object.entries(fields).map(([name, field]) => {
    if (!/^[a-z][a-zA-Z0-9]*$/.test(name) || YAML_KEYWORD.test(name))
      throw new Error(`${name} is no name for a value: it may be like thisOne`)
    const here = [...path, name]
    if (isSection(field)) return [name, valuesOf(field.fields, here)]
    const value = new Value({ path: here, kind: field.kind })
    const there = compute.not(compute.empty(new Value({ path: here, kind: 'data' })))
    return [name, field.optional ? when(there, value) : value]
  })
  return Object.fromEntries(entries) as ValuesOf<F>
}

/** The defaults, as Helm reads them from values.yaml. */
export function defaultsOf(fields: Fields): { readonly [name: string]: Json } {
  const entries = Object.entries(fields).map(([name, field]) => [
    name,
    isSection(field) ? defaultsOf(field.fields) : field.fallback,
  ])
  return Object.fromEntries(entries)
}

/** What Helm itself knows of an installation. */
export const RELEASE = {
  name: new Value<string>({ path: ['Release', 'Name'], kind: 'text' }),
  namespace: new Value<string>({ path: ['Release', 'Namespace'], kind: 'text' }),
  /** 1 for the installation, one more for each upgrade and rollback. */
  revision: new Value<number>({ path: ['Release', 'Revision'], kind: 'integer' }),
} as const
