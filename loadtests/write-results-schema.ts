/** Writes the JSON schemas of results, of a capacity measurement and of a targets file from their types: `npm run results:schema`. */
import { fileURLToPath } from 'node:url'
import { renderJson, writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { createGenerator } from 'ts-json-schema-generator'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

await writeSchema({
  path: 'bench/evidence/loadtest-result.ts',
  root: 'LoadtestResult',
  to: 'results.schema.json',
  id: 'urn:hopwhistle:loadtest:1',
  title: 'Result of a Hopwhistle load test, version 1',
  description:
    'Written by every scenario to results/<scenario>.json, and by the merge of several runners. Readers must refuse ' +
    'another `format`; fields may be added without a new version.',
})
await writeSchema({
  path: 'bench/capacity/capacity-result.ts',
  root: 'CapacityResult',
  to: 'capacity.schema.json',
  id: 'urn:hopwhistle:capacity:1',
  title: 'Capacity measurement of Hopwhistle, version 1',
  description:
    'Written to results/capacity.json. Readers must refuse another `format`; fields may be added without a new version.',
})

await writeSchema({
  path: 'bench/own/targets-file.ts',
  root: 'TargetsFile',
  to: 'targets.schema.json',
  id: 'urn:hopwhistle:targets:1',
  title: 'What a k6 script of your own is to reach',
  description: 'Read by `bench run SCRIPT` from SCRIPT.targets.yaml.',
  additionalProperties: false,
})

type Schema = {
  readonly path: string
  readonly root: string
  readonly to: string
  readonly id: string
  readonly title: string
  readonly description: string
  /** Whether fields that the type does not have may be there; true if absent. */
  readonly additionalProperties?: boolean
}

async function writeSchema({
  path,
  root,
  to,
  id,
  title,
  description,
  additionalProperties = true,
}: Schema): Promise<void> {
  const { definitions = {} } = createGenerator({
    path: at(path),
    tsconfig: at('../tsconfig.json'),
    type: root,
    additionalProperties,
    skipTypeCheck: true,
  }).createSchema(root)
  const { [root]: result, ...others } = in2020(definitions, root) as Readonly<Record<string, object>>
  const $schema = 'https://json-schema.org/draft/2020-12/schema'
  const schema = { $schema, $id: id, title, description, ...result, $defs: others }
  await writeWhole(at(to), `${renderJson(schema)}\n`)
}

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
