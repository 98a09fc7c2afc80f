/** Prints a manifest as YAML for Helm: sentinels become templates, and what looks like a template is left alone. */
import { stringify } from 'yaml'
import { isSentinel, SENTINEL, type Sentinel } from './template.ts'
import { hasTokens, type Json } from './value.ts'

type Lines = readonly string[]

/** Helm reads YAML 1.1, where a bare `on` is true. */
const YAML = { version: '1.1', lineWidth: 0, blockQuote: 'literal' } as const

export function printManifest(manifest: Json): string {
  return `${map(manifest as { readonly [key: string]: Json }).join('\n')}\n`
}

const indented = (lines: Lines): Lines =>
  lines.map((line) => (line === '' || line.startsWith('{{-') ? line : `  ${line}`))

/** The lines of a map, without indentation; a condition stands around its whole entry. */
function map(node: { readonly [key: string]: Json }): Lines {
  return Object.entries(node).flatMap(([key, value]) => conditional(value, (part) => entry(key, part)))
}

function list(items: readonly Json[]): Lines {
  return items.flatMap((item) => conditional(item, listItem))
}

function entry(key: string, value: Json): Lines {
  if (hasTokens(key)) throw new Error('a value cannot be part of a key: merge a map into this one')
  if (isSentinel(value)) return [`${key}: ${templateOf(value)}`]
  const inside = block(value)
  return inside === undefined
    ? yaml({ [key]: value })
    : [...yaml({ [key]: null }).map(withoutNull), ...indented(inside)]
}

function listItem(item: Json): Lines {
  if (isSentinel(item)) return [`- ${templateOf(item)}`]
  const inside = block(item)
  if (inside === undefined) return yaml([item])
  // A dash stands on the first line, unless that is the one of a condition.
  const [first = '', ...rest] = inside
  return first.startsWith('{{-') ? ['-', ...indented(inside)] : [`- ${first}`, ...indented(rest)]
}

/** The lines of a map or list that has entries; undefined for what YAML writes on the line of its key. */
function block(node: Json): Lines | undefined {
  if (typeof node !== 'object' || node === null || Object.keys(node).length === 0) return undefined
  const parts: readonly Json[] = Object.values(node)
  // Were none of them there, YAML would read null.
  if (parts.every((part) => isSentinel(part) && mayBeAbsent(part)))
    throw new Error(`${Object.keys(node).join(', ')}: all are conditional; put the condition around the whole`)
  return Array.isArray(node) ? list(node) : map(node as { readonly [key: string]: Json })
}

function mayBeAbsent(part: Sentinel): boolean {
  return part[SENTINEL] === 'each' || (part[SENTINEL] === 'when' && part.otherwise === undefined)
}

function conditional(node: Json, print: (part: Json) => Lines): Lines {
  if (!isSentinel(node) || node[SENTINEL] === 'value') return print(node)
  if (node[SENTINEL] === 'each') return [`{{- range $item := ${node.list} }}`, '- {{ $item | toJson }}', '{{- end }}']
  const otherwise = node.otherwise === undefined ? [] : ['{{- else }}', ...conditional(node.otherwise, print)]
  return [`{{- if ${node.condition} }}`, ...conditional(node.part, print), ...otherwise, '{{- end }}']
}

function templateOf(node: Sentinel): string {
  if (node[SENTINEL] !== 'value') throw new Error('a condition stands where only a value can')
  return `{{ ${node.template} }}`
}

/** As the YAML library writes it; two braces that are meant for somebody else, such as a legend, are kept from Helm. */
function yaml(node: Json): Lines {
  const text = stringify(node, YAML)
  return text.replace(/\n$/, '').replaceAll('{{', '{{ "{{" }}').split('\n')
}

const withoutNull = (line: string): string => line.replace(/ null$/, '')
