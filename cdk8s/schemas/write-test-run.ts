/**
 * Writes cdk8s/schemas/test-run.json, the schema of a TestRun, from the CRD of the k6-operator that versions.json names:
 *
 *   git clone --depth 1 --branch v1.6.0 https://github.com/grafana/k6-operator
 *   node cdk8s/schemas/write-test-run.ts k6-operator/config/crd/bases/k6.io_testruns.yaml
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parse } from 'yaml'
import { type Schema, schemasOfCrd, shared } from './crd-schema.ts'

const { k6Operator } = JSON.parse(readFileSync(new URL('../../versions.json', import.meta.url), 'utf8')) as {
  readonly k6Operator: string
}
const [file = ''] = process.argv.slice(2)
const [crd] = schemasOfCrd(parse(readFileSync(file, 'utf8')))
if (crd === undefined) throw new Error(`${file} has no version of a kind`)
const [kind, schema] = crd
const { definitions, ...root } = shared(schema) as Schema & { readonly definitions: Schema }
// A line for each definition, so that a difference can be read.
const lines = Object.entries(definitions).map(([name, part]) => `${JSON.stringify(name)}:${JSON.stringify(part)}`)
const { properties, ...rest } = root
writeFileSync(
  new URL('./test-run.json', import.meta.url),
  `{"k6Operator":"${k6Operator}","kind":"${kind}","schema":{${JSON.stringify(rest).slice(1, -1)},
"properties":${JSON.stringify(properties)},
"definitions":{\n${lines.join(',\n')}}}}\n`,
)
