/**
 * Writes cdk8s/schemas/kubernetes.json, the part of the API schemas that the charts need, without descriptions:
 *
 *   pip download --no-deps kubernetes-validate==1.37.0 && unzip kubernetes_validate-*.whl
 *   node cdk8s/schemas/write.ts kubernetes_validate/kubernetes-json-schema CRD.yaml…
 *
 * The CRDs are those of Prometheus Operator, in `example/prometheus-operator-crd` of its repository. That of a TestRun is
 * written by write-test-run.ts.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parse } from 'yaml'
import { type Schema, schemasOfCrd, withoutWords } from './crd-schema.ts'

/** Those that the charts are checked against, oldest first. */
const VERSIONS = ['1.32', '1.33', '1.34']
const KINDS =
  /\.(ClusterRole|ClusterRoleBinding|ConfigMap|CronJob|Deployment|HorizontalPodAutoscaler|Job|NetworkPolicy|PersistentVolumeClaim|PodDisruptionBudget|Role|RoleBinding|Secret|Service|ServiceAccount|StatefulSet)$/

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
  crds: Object.fromEntries(crds.flatMap((path) => schemasOfCrd(parse(readFileSync(path, 'utf8'))))),
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
