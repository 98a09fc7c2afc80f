/** Checks results against the published JSON Schema. */
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'

const schema = JSON.parse(readFileSync(new URL('../../results.schema.json', import.meta.url), 'utf8'))
const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictTuples: false }).compile(schema)

/** @returns what is wrong, one line each; empty for a valid result */
export function schemaErrors(result: unknown): string[] {
  if (validate(result)) return []
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || '/'} ${message}`)
}
