/**
 * Writes cdk8s/schemas/kubernetes.json, the part of the API schemas that the charts need, without descriptions:
 *
 *   pip download --no-deps kubernetes-validate==1.37.0 && unzip kubernetes_validate-*.whl
 *   node cdk8s/schemas/write.ts kubernetes_validate/kubernetes-json-schema CRD.yaml…
 *
 * The CRDs are those of Prometheus Operator, in `example/prometheus-operator-crd` of its repository. That of a TestRun
 * would be larger than all the rest.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parse } from 'yaml'

/** Those that the charts are checked against, oldest first. */
const VERSIONS = ['1.32', '1.33', '1.34']
const KINDS =
  /\.(ClusterRole|ClusterRoleBinding|ConfigMap|CronJob|Deployment|HorizontalPodAutoscaler|Job|NetworkPolicy|PersistentVolumeClaim|PodDisruptionBudget|Role|RoleBinding|Secret|Service|ServiceAccount|StatefulSet)$/

type Schema = { readonly [key: string]: unknown }
type Definitions = { readonly [name: string]: Schema }

const [folder = '', ...crds] = process.argv.slice(2)
const versions = VERSIONS.map((version) => definitionsOf(version))
const shared = Object.fromEntries(
  Object.entries(versions.at(-1) as Definitions).filter(([name, schema]) =>
    versions.every((definitions) => JSON.stringify(definitions[name]) === JSON.stringify(schema)),
  ),
)
const file = {
  shared,
  versions: Object.fromEntries(
    VERSIONS.map((version, i) => [
      version,
      Object.fromEntries(Object.entries(versions[i]!).filter(([name]) => !(name in shared))),
    ]),
  ),
  crds: Object.fromEntries(crds.flatMap(schemasOfCrd)),
}
// A line for each definition, so that a difference can be read.
const lines = (definitions: object) =>
  Object.entries(definitions)
    .map(([name, schema]) => `${JSON.stringify(name)}:${JSON.stringify(schema)}`)
    .join(',\n')
writeFileSync(
  new URL('./kubernetes.json', import.meta.url),
  `{"shared":{\n${lines(file.shared)}},\n"versions":{${Object.entries(file.versions)
    .map(([version, definitions]) => `"${version}":{\n${lines(definitions)}}`)
    .join(',\n')}},\n"crds":{\n${lines(file.crds)}}}\n`,
)

/** The objects of these kinds, and all that they refer to, by `VERSION/KIND` and by name. */
function definitionsOf(version: string): Definitions {
  const { $defs } = JSON.parse(readFileSync(`${folder}/v${version}.0-local-strict/_definitions.json`, 'utf8')) as {
    readonly $defs: Definitions
  }
  const found: Record<string, Schema> = {}
  const add = (name: string) => {
    if (name in found) return
    found[name] = withoutWords($defs[name]) as Schema
    for (const [, next] of JSON.stringify(found[name]).matchAll(/"\$ref":"#\/definitions\/([^"]+)"/g)) add(next!)
  }
  for (const [name, schema] of Object.entries($defs)) {
    const [of] = (schema['x-kubernetes-group-version-kind'] ?? []) as readonly { group: string; version: string }[]
    if (KINDS.test(name) && of?.version === name.split('.').at(-2) && !/alpha|beta/.test(name)) add(name)
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function schemasOfCrd(path: string): readonly (readonly [string, Schema])[] {
  const { spec } = parse(readFileSync(path, 'utf8')) as {
    readonly spec: {
      readonly group: string
      readonly names: { readonly kind: string }
      readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[]
    }
  }
  return spec.versions.map(({ name, schema }) => [
    `${spec.group}/${name}/${spec.names.kind}`,
    strict(withoutWords(schema.openAPIV3Schema)) as Schema,
  ])
}

/** Without what no manifest of ours is checked by. What Kubernetes itself writes into an object is left out too. */
function withoutWords(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutWords)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, part]): [string, unknown][] => {
      if (key === 'properties') {
        const { status, managedFields, ...properties } = part as Schema
        return [[key, Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, withoutWords(one)]))]]
      }
      if (key === 'description' || key === 'format' || key === 'default') return []
      if (key.startsWith('x-kubernetes-') && !/int-or-string|preserve-unknown/.test(key)) return []
      // Go's way to write a flag.
      if (key === 'pattern') return [[key, (part as string).replace(/^\^\(\?i\)(.*)\$$/, '^(?i:$1)$')]]
      if (key === '$ref') return [[key, (part as string).replace(/^.*#\/\$defs\//, '#/definitions/')]]
      return [[key, withoutWords(part)]]
    }),
  )
}

/** Refuses fields that a CRD does not know, which an API server would drop without a word. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict)
  if (typeof schema !== 'object' || schema === null) return schema
  const { properties, ...rest } = schema as { readonly properties?: Schema }
  const inner = Object.fromEntries(Object.entries(rest).map(([key, part]) => [key, strict(part)]))
  if (inner['x-kubernetes-int-or-string']) return { type: ['integer', 'string'] }
  if (properties === undefined) return inner
  const known = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, strict(one)]))
  return {
    ...inner,
    properties: known,
    ...(inner['x-kubernetes-preserve-unknown-fields'] ? {} : { additionalProperties: false }),
  }
}
