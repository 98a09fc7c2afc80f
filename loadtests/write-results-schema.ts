/** Writes results.schema.json from the types of a result: `npm run results:schema`. */
import { fileURLToPath } from 'node:url'
import { renderJson, writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { createGenerator } from 'ts-json-schema-generator'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const ROOT = 'LoadtestResult'

const { definitions = {} } = createGenerator({
  path: at('bench/evidence/loadtest-result.ts'),
  tsconfig: at('../tsconfig.json'),
  type: ROOT,
  additionalProperties: true,
  skipTypeCheck: true,
}).createSchema(ROOT)

const { [ROOT]: result, ...others } = in2020(definitions) as Readonly<Record<string, object>>
const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:hopwhistle:loadtest:1',
  title: 'Result of a Hopwhistle load test, version 1',
  description:
    'Written by every scenario to results/<scenario>.json, and by the merge of several runners. Readers must refuse ' +
    'another `format`; fields may be added without a new version.',
  ...result,
  $defs: others,
}

await writeWhole(at('results.schema.json'), `${renderJson(schema)}\n`)

/** The generator writes draft 7: lists of fixed length and definitions have other names today. */
function in2020(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(in2020)
  if (typeof value !== 'object' || value === null) return value
  const { items, maxItems, ...rest } = value as { readonly items?: unknown; readonly maxItems?: unknown }
  const list = Array.isArray(items) ? { prefixItems: items, items: false } : { items, maxItems }
  return Object.fromEntries(
    Object.entries({ ...rest, ...list }).map(([key, item]) => [
      key,
      key === '$ref' ? pointer(String(item)) : in2020(item),
    ]),
  )
}

function pointer(ref: string): string {
  return ref === `#/definitions/${ROOT}` ? '#' : ref.replace('#/definitions/', '#/$defs/')
}
