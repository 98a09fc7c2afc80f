/** values.yaml and values.schema.json of a definition. */
import { stringify } from 'yaml'
import { type Fields, isSection, type Leaf, type Schema, type Section } from './define.ts'
import type { Json } from './value.ts'

const WIDTH = 110

/** Every value with its default, under a comment that says what it does and what it may be. */
export function valuesYaml(title: string, fields: Fields): string {
  return `${comment(title, '')}\n${yamlOf(fields, '')}`
}

function yamlOf(fields: Fields, indent: string): string {
  return Object.entries(fields)
    .map(([name, field], i) => {
      const gap = indent === '' && i > 0 ? '\n' : ''
      const body = isSection(field)
        ? `${indent}${name}:\n${yamlOf(field.fields, `${indent}  `)}`
        : indented(stringify({ [name]: field.fallback }, { version: '1.1', lineWidth: 0 }), indent)
      return `${gap}${comment(noteOf(field), indent)}${body}`
    })
    .join('')
}

function indented(text: string, indent: string): string {
  return text.replace(/^(?=.)/gm, indent)
}

function noteOf(field: Leaf<unknown> | Section): string {
  if (isSection(field)) return field.note
  const { minimum: min, maximum: max, enum: options } = field.schema as { readonly [key: string]: Json | undefined }
  if (Array.isArray(options)) return `${field.note}: ${options.join(', ')}`
  if (min === undefined && max === undefined) return field.note
  return `${field.note} (${max === undefined ? `${min} or more` : min === undefined ? `at most ${max}` : `${min} to ${max}`})`
}

function comment(text: string, indent: string): string {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    for (const word of paragraph.split(' ')) {
      if (line !== '' && indent.length + line.length + word.length + 3 > WIDTH) {
        lines.push(line)
        line = ''
      }
      line += line === '' ? word : ` ${word}`
    }
    lines.push(line)
  }
  return lines.map((line) => `${`${indent}# ${line}`.trimEnd()}\n`).join('')
}

/** Helm checks what somebody gives against this before it renders anything. */
export function valuesSchema(fields: Fields): Schema {
  const { properties, ...root } = schemaOf(fields)
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...root,
    // What a chart that has this one as a part may turn it on with, and share with it.
    properties: { enabled: { type: 'boolean' }, global: { type: 'object' }, ...(properties as Schema) },
  }
}

/** Every name is known and none may be missing: a null would otherwise render as nothing. */
function schemaOf(fields: Fields): Schema {
  const properties = Object.entries(fields).map(([name, field]): [string, Schema] => [
    name,
    isSection(field)
      ? { description: field.note, ...schemaOf(field.fields), ...(field.open ? { additionalProperties: true } : {}) }
      : { description: field.note, ...field.schema, default: field.fallback as Json },
  ])
  return {
    type: 'object',
    additionalProperties: false,
    required: Object.entries(fields).flatMap(([name, field]) => (!isSection(field) && field.optional ? [] : [name])),
    properties: Object.fromEntries(properties),
  }
}
