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
  sha256: {
    kind: 'text',
    evaluate: (text: string) => createHash('sha256').update(text).digest('hex'),
    template: call('sha256sum'),
  },

  list: { kind: 'data', evaluate: (...items: Json[]) => items, template: call('list') },
  map: {
    kind: 'data',
    evaluate: (...flat: Json[]) => Object.fromEntries(pairs(flat)),
    template: call('dict'),
  },
  appended: { kind: 'data', evaluate: (...lists: Json[][]) => lists.flat(), template: call('concat') },
  file: {
    kind: 'text',
    evaluate: (files: { readonly [path: string]: string }, path: string) => fileOf(files, path),
    template: ([files, path]) => `${files}.Get ${path}`,
  },
  parsed: { kind: 'data', evaluate: (yaml: string) => parse(yaml) as Json, template: call('fromYaml') },
  /** Made once, and from then on what the Secret has: base64, as a Secret's data is. */
  generated: {
    kind: 'text',
    evaluate: (secret: string, key: string) => Buffer.from(`made by Helm: ${secret} ${key}`).toString('base64'),
    template: ([secret, key]) =>
      `index ((lookup "v1" "Secret" .Release.Namespace ${secret}).data | default dict) ${key} | default (randAlphaNum 32 | b64enc)`,
  },
  /** The later map wins. */
  merged: {
    kind: 'data',
    evaluate: (...maps: { [key: string]: Json }[]) => Object.assign({}, ...maps),
    template: call('mergeOverwrite (dict)'),
  },
}

const AMOUNT = 'hopwhistle.amount'

/** What `amount` includes: it would be said again in every size that follows from a limit. */
export const NAMED_TEMPLATES: Readonly<Record<string, string>> = {
  [AMOUNT]: `\
{{- $units := dict ${Object.entries(UNITS)
    .map(([unit, factor]) => `"${unit}" ${factor}`)
    .join(' ')} -}}
{{- mulf (regexFind "^[0-9.]+" . | float64) (index $units (regexFind "[A-Za-z]*$" .)) | int64 -}}
`,
}

/**
 * As Helm does it: decimals are multiplied, for a binary fraction would now and then be one byte less; the product becomes
 * a 64-bit float, and only then is what is left over dropped.
 */
function amount(quantity: string): number {
  const [, whole = '', fraction = '', unit = ''] = /^(\d+)(?:\.(\d+))?(\D*)$/.exec(quantity) ?? []
  const thousandths = BigInt(Math.round((UNITS[unit] ?? Number.NaN) * 1000))
  return Math.trunc(Number(`${BigInt(whole + fraction) * thousandths}e-${fraction.length + 3}`))
}

function fileOf(files: { readonly [path: string]: string }, path: string): string {
  const content = files[path]
  if (content === undefined) throw new Error(`the chart has no file ${path}`)
  return content
}

/** As Go's templates see it. */
function isEmpty(value: Json): boolean {
  if (value === null || value === false || value === 0 || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

function pairs(flat: readonly Json[]): [string, Json][] {
  return flat.flatMap((key, i): [string, Json][] => (i % 2 === 0 ? [[key as string, flat[i + 1] as Json]] : []))
}
