import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import type { Manifest } from '../values/helm-chart.ts'

type Definitions = { readonly [name: string]: object }
type Schemas = {
  readonly shared: Definitions
  readonly versions: Readonly<Record<string, Definitions>>
  /** By `GROUP/VERSION/KIND`. */
  readonly crds: Definitions
}

const read = (file: string) => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'))
const { shared, versions, crds: others } = read('./kubernetes.json') as Schemas
const testRun = read('./test-run.json') as { k6Operator: string; kind: string; schema: object }
const crds: Definitions = { ...others, [testRun.kind]: testRun.schema }

/** Of Kubernetes. */
export const API_VERSIONS = Object.keys(versions)

/** The version of k6-operator whose TestRun is known here. */
export const TEST_RUN_OF: string = testRun.k6Operator

const VALIDATORS = new Map(
  API_VERSIONS.map((version) => {
    const ajv = new Ajv({ strict: false, allErrors: true })
    ajv.addSchema({ $id: version, definitions: { ...shared, ...versions[version] } })
    for (const [name, schema] of Object.entries(crds)) ajv.addSchema(schema, name)
    return [version, ajv]
  }),
)

/** What an API server of a version of Kubernetes would refuse, or leave out, with the object that has it. */
export function schemaProblems(version: string, manifests: readonly Manifest[]): readonly string[] {
  const ajv = VALIDATORS.get(version)
  return manifests.flatMap((manifest) => {
    const { apiVersion, kind, metadata } = manifest
    const known = `${apiVersion}/${kind}`
    const named = `${kind} ${(metadata as { readonly name: string }).name}`
    const validate = ajv?.getSchema(known in crds ? known : `${version}#/definitions/${definitionOf(apiVersion, kind)}`)
    if (validate === undefined) return [`${named}: Kubernetes ${version} has no ${known}`]
    if (validate(manifest)) return []
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${named}: Kubernetes ${version}: ${instancePath} ${message} ${JSON.stringify(params)}`,
    )
  })
}

/** `rbac.authorization.k8s.io/v1` and `Role` are `io.k8s.api.rbac.v1.Role`. */
function definitionOf(apiVersion: string, kind: string): string {
  const [version = '', group = 'core'] = apiVersion.split('/').reverse()
  return `io.k8s.api.${group.split('.')[0]}.${version}.${kind}`
}
