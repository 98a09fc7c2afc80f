/**
 * What can be computed from values. Each operation is said twice, side by side: in TypeScript for the plain synthesis,
 * and in Go's templates with Helm's functions for the chart. A property test holds the two against each other.
 */
import { createHash } from 'node:crypto'
import { UNITS } from '@hopwhistle/platform/kubernetes/quantity.ts'
import { parse } from 'yaml'
import type { Json, Kind } from './value.ts'

export type Operation = {
  readonly kind: Kind | 'as its operands'
  readonly evaluate: (...operands: never[]) => Json
  /** @param operands each is one word of a template: a literal, or something in parentheses */
  readonly template: (operands: readonly string[]) => string
}

const call = (name: string) => (operands: readonly string[]) => [name, ...operands].join(' ')

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  not: { kind: 'flag', evaluate: (a: boolean) => !a, template: call('not') },
  both: { kind: 'flag', evaluate: (a: boolean, b: boolean) => a && b, template: call('and') },
  either: { kind: 'flag', evaluate: (a: boolean, b: boolean) => a || b, template: call('or') },
  same: { kind: 'flag', evaluate: (a: Json, b: Json) => a === b, template: call('eq') },
  greater: { kind: 'flag', evaluate: (a: number, b: number) => a > b, template: call('gt') },
  empty: { kind: 'flag', evaluate: isEmpty, template: call('empty') },

  sum: { kind: 'integer', evaluate: (...n: number[]) => n.reduce((a, b) => a + b, 0), template: call('add') },
  product: { kind: 'integer', evaluate: (...n: number[]) => n.reduce((a, b) => a * b, 1), template: call('mul') },

  smaller: { kind: 'integer', evaluate: (a: number, b: number) => Math.min(a, b), template: call('min') },
  larger: { kind: 'integer', evaluate: (a: number, b: number) => Math.max(a, b), template: call('max') },
  difference: { kind: 'integer', evaluate: (a: number, b: number) => a - b, template: call('sub') },
  /** Without what is left over. */
  quotient: { kind: 'integer', evaluate: (a: number, b: number) => Math.trunc(a / b), template: call('div') },

  /** An amount as Kubernetes writes it, `1.5Gi`, as a whole number. */
  amount: {
    kind: 'integer',
    evaluate: (quantity: string) => amount(quantity),
    template: ([quantity]) => `include "${AMOUNT}" ${quantity} | int64`,
  },

  thousandths: {
    kind: 'integer',
    evaluate: (quantity: string | number) => amount(String(quantity), 1000),
    template: ([quantity]) => `include "${THOUSANDTHS}" ${quantity} | int64`,
  },

  choose: {
    kind: 'as its operands',
    evaluate: (condition: boolean, then: Json, otherwise: Json) => (condition ? then : otherwise),
    template: ([condition, then, otherwise]) => `ternary ${then} ${otherwise} ${condition}`,
  },
  text: {
    kind: 'text',
    evaluate: (...parts: Json[]) => {
      // Go would print them its own way.
      if (parts.some((part) => typeof part === 'object')) throw new Error('a list or map cannot be part of a text')
      return parts.map(String).join('')
    },
    template: ([...parts]) => {
      const [only] = parts
      if (parts.length === 1) return `toString ${only}`
      // What is a literal goes into the format, so that the line reads like the text that it makes.
      const format = parts
        .map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('%', '%%') : '%v'))
        .join('')
      return [`printf "${format}"`, ...parts.filter((part) => !part.startsWith('"'))].join(' ')
    },
  },
  /** By a regular expression that both languages read alike; in the replacement `${1}` is its first group. */
  replaced: {
    kind: 'text',
    evaluate: (text: string, pattern: string, replacement: string) =>
      text.replaceAll(new RegExp(pattern, 'g'), (_, ...groups: unknown[]) =>
        replacement.replaceAll(/\$\{(\d+)\}/g, (__, n: string) => String(groups[Number(n) - 1] ?? '')),
      ),
    template: ([text, pattern, replacement]) => `regexReplaceAll ${pattern} ${text} ${replacement}`,
  },
  json: { kind: 'text', evaluate: (value: Json) => jsonOf(value), template: call('toJson') },
  sha256: {
    kind: 'text',
    evaluate: (text: string) => createHash('sha256').update(text).digest('hex'),
    template: call('sha256sum'),
  },

  /** Begins the name of an object: see `nameWithin` in compute.ts. */
  nameWithin: {
    kind: 'text',
    evaluate: nameWithin,
    template: ([name, most]) => `include "${NAME_WITHIN}" (list ${name} ${most})`,
  },

  list: { kind: 'data', evaluate: (...items: Json[]) => items, template: call('list') },
  map: {
    kind: 'data',
    evaluate: (...flat: Json[]) => Object.fromEntries(pairs(flat)),
    template: call('dict'),
  },
  orElse: {
    kind: 'as its operands',
    evaluate: (value: Json, otherwise: Json) => (isEmpty(value) ? otherwise : value),
    template: ([value, otherwise]) => `default ${otherwise} ${value}`,
  },
  references: {
    kind: 'data',
    evaluate: (names: Json[]) => names.map((name) => (typeof name === 'string' ? { name } : name)),
    template: ([names]) => `include "${REFERENCES}" ${names} | fromJsonArray`,
  },
  appended: {
    kind: 'data',
    evaluate: (...lists: Json[][]) => lists.flat(),
    // Of none it would be null.
    template: (lists) => `default list (concat ${lists.join(' ')})`,
  },
  file: {
    kind: 'text',
    evaluate: (files: { readonly [path: string]: string }, path: string) => fileOf(files, path),
    template: ([files, path]) => `${files}.Get ${path}`,
  },
  parsed: { kind: 'data', evaluate: (yaml: string) => parse(yaml) as Json, template: call('fromYaml') },
  /** What the claims of a StatefulSet in the cluster ask for; empty where there is none, and without a cluster. */
  claimed: {
    kind: 'text',
    evaluate: () => '',
    template: ([name]) => `include "${CLAIMED}" (list .Release.Namespace ${name})`,
  },
  /** The later map wins. */
  merged: {
    kind: 'data',
    evaluate: (...maps: { [key: string]: Json }[]) => Object.assign({}, ...maps),
    template: call('mergeOverwrite (dict)'),
  },
}

const AMOUNT = 'hopwhistle.amount'
const THOUSANDTHS = 'hopwhistle.thousandths'
const REFERENCES = 'hopwhistle.references'
const CLAIMED = 'hopwhistle.claimed'
const NAME_WITHIN = 'hopwhistle.name-within'
const LABEL = '^[a-z]([-a-z0-9]*[a-z0-9])?$'
const HASH_DIGITS = 8

/** What operations include that would otherwise be written out in each of many places. */
export const NAMED_TEMPLATES: Readonly<Record<string, string>> = {
  [AMOUNT]: amountTemplate(1),
  [THOUSANDTHS]: amountTemplate(1000),
  [REFERENCES]: `\
{{- $all := list -}}
{{- range . }}{{ $all = append $all (kindIs "string" . | ternary (dict "name" .) .) }}{{ end -}}
{{- toJson $all -}}
`,
  [CLAIMED]: `\
{{- $set := lookup "apps/v1" "StatefulSet" (index . 0) (index . 1) -}}
{{- range dig "spec" "volumeClaimTemplates" list $set }}{{ .spec.resources.requests.storage }}{{ end -}}
`,
  [NAME_WITHIN]: `\
{{- $name := index . 0 -}}
{{- $most := index . 1 | int -}}
{{- if and (le (len $name) $most) (regexMatch "${LABEL}" $name) -}}
{{- $name -}}
{{- else -}}
{{- $label := regexReplaceAll "^([0-9])" (replace "." "-" $name) "r${'$'}{1}" -}}
{{- printf "%s-%s" (trunc (int (sub $most ${HASH_DIGITS + 1})) $label) (sha256sum $name | trunc ${HASH_DIGITS}) -}}
{{- end -}}
`,
}

function amountTemplate(times: number): string {
  const units = Object.entries(UNITS).map(([unit, factor]) => `"${unit}" ${factor * times}`)
  return `\
{{- $units := dict ${units.join(' ')} -}}
{{- $quantity := toString . -}}
{{- mulf (regexFind "^[0-9.]+" $quantity | float64) (index $units (regexFind "[A-Za-z]*$" $quantity)) | int64 -}}
`
}

function nameWithin(name: string, most: number): string {
  if (name.length <= most && new RegExp(LABEL).test(name)) return name
  const label = name.replaceAll('.', '-').replace(/^(?=[0-9])/, 'r')
  const hash = createHash('sha256').update(name).digest('hex')
  return `${label.slice(0, most - HASH_DIGITS - 1)}-${hash.slice(0, HASH_DIGITS)}`
}

/**
 * As Helm does it: decimals are multiplied, for a binary fraction would now and then be one byte less; the product becomes
 * a 64-bit float, and only then is what is left over dropped.
 */
function amount(quantity: string, times = 1): number {
  const [, whole = '', fraction = '', unit = ''] = /^(\d+)(?:\.(\d+))?(\D*)$/.exec(quantity) ?? []
  const thousandths = BigInt(Math.round((UNITS[unit] ?? Number.NaN) * 1000 * times))
  return Math.trunc(Number(`${BigInt(whole + fraction) * thousandths}e-${fraction.length + 3}`))
}

function fileOf(files: { readonly [path: string]: string }, path: string): string {
  const content = files[path]
  if (content === undefined) throw new Error(`the chart has no file ${path}`)
  return content
}

/** As Go writes it: keys in order, and what HTML would read is escaped. */
function jsonOf(value: Json): string {
  const sorted = JSON.stringify(value, (_, part: Json) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
  return sorted.replace(/[<>&\u2028\u2029]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** As Go's templates see it. */
function isEmpty(value: Json): boolean {
  if (value === null || value === false || value === 0 || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

function pairs(flat: readonly Json[]): [string, Json][] {
  return flat.flatMap((key, i): [string, Json][] => (i % 2 === 0 ? [[key as string, flat[i + 1] as Json]] : []))
}
