/** Writes results.schema.json from the types of a result, and targets.schema.json from those of a targets file: `npm run results:schema`. */
import { fileURLToPath } from 'node:url'
import { renderJson, writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { createGenerator } from 'ts-json-schema-generator'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** @param additionalProperties whether fields that the type does not have may be there */
async function write(file: string, path: string, root: string, additionalProperties: boolean, about: object) {
  const { definitions = {} } = createGenerator({
    path: at(path),
    tsconfig: at('../tsconfig.json'),
    type: root,
    additionalProperties,
    skipTypeCheck: true,
  }).createSchema(root)
  const { [root]: top, ...others } = in2020(definitions, root) as Readonly<Record<string, object>>
  const schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', ...about, ...top, $defs: others }
  await writeWhole(at(file), `${renderJson(schema)}\n`)
}

await write('results.schema.json', 'bench/evidence/loadtest-result.ts', 'LoadtestResult', true, {
  $id: 'urn:hopwhistle:loadtest:1',
  title: 'Result of a Hopwhistle load test, version 1',
  description:
    'Written by every scenario to results/<scenario>.json, and by the merge of several runners. Readers must refuse ' +
    'another `format`; fields may be added without a new version.',
})
await write('targets.schema.json', 'bench/own/targets-file.ts', 'TargetsFile', false, {
  $id: 'urn:hopwhistle:targets:1',
  title: 'What a k6 script of your own is to reach',
  description: 'Read by `bench run SCRIPT` from SCRIPT.targets.yaml.',
})

/** The generator writes draft 7: lists of fixed length and definitions have other names today. */
function in2020(value: unknown, root: string): unknown {
  if (Array.isArray(value)) return value.map((item) => in2020(item, root))
  if (typeof value !== 'object' || value === null) return value
  const { items, maxItems, ...rest } = value as { readonly items?: unknown; readonly maxItems?: unknown }
  const list = Array.isArray(items) ? { prefixItems: items, items: false } : { items, maxItems }
  return Object.fromEntries(
    Object.entries({ ...rest, ...list }).map(([key, item]) => [
      key,
      key === '$ref' ? pointer(String(item), root) : in2020(item, root),
    ]),
  )
}

function pointer(ref: string, root: string): string {
  return ref === `#/definitions/${root}` ? '#' : ref.replace('#/definitions/', '#/$defs/')
}
