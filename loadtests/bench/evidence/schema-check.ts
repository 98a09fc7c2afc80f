import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'

const MOST_PROBLEMS = 3

/**
 * Checks what was read against a JSON Schema, which is compiled when something is checked for the first time.
 *
 * @returns the first few problems: `/runners/0 must have required property 'instance'; …`; undefined without any
 */
export function schemaCheck(schema: object): (given: unknown) => string | undefined {
  let validate: ValidateFunction | undefined
  return (given) => {
    validate ??= new Ajv2020({ allErrors: true, allowUnionTypes: true, strictTuples: false }).compile(schema)
    if (validate(given)) return undefined
    const problems = (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || '/'} ${message}`)
    const more = problems.length > MOST_PROBLEMS ? `, and ${problems.length - MOST_PROBLEMS} more` : ''
    return `${problems.slice(0, MOST_PROBLEMS).join('; ')}${more}`
  }
}
