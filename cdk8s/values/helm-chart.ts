/**
 * A Helm chart, synthesized twice from the same constructs: plainly, with concrete values, and as templates.
 */
import { ApiObject, App, Chart } from 'cdk8s'
import type { IConstruct } from 'constructs'
import { stringify } from 'yaml'
import { defaultsOf, type Fields, type ValuesOf, valuesOf } from './define.ts'
import { evaluate, evaluatingResolver, type Installation } from './evaluate.ts'
import { NAMED_TEMPLATES } from './operations.ts'
import { printManifest } from './print-manifest.ts'
import { Refusal, Refused } from './refusal.ts'
import { refuseRequestsAboveLimits } from './resource-refusals.ts'
import { spreadResolver } from './spread.ts'
import { template, templatesIn, templatingResolver } from './template.ts'
import { type Json, toExpression } from './value.ts'
import { valuesSchema, valuesYaml } from './values-files.ts'
import { conditionOf } from './when.ts'

export type HelmChart<F extends Fields = Fields> = {
  readonly name: string
  readonly version: string
  readonly appVersion: string
  readonly description: string
  /** Above everything in values.yaml. */
  readonly title: string
  readonly values: F
  /** Makes the objects; called once for each synthesis. */
  readonly build: (chart: Chart, values: ValuesOf<F>) => void
  /** Text files for `fileContent`, by path in the chart, `files/…`. @default none */
  readonly files?: Readonly<Record<string, string>>
  /** Shown after installing: a template; values stand in it as in other strings. @default none */
  readonly notes?: string
}

export type Manifest = { readonly apiVersion: string; readonly kind: string; readonly [key: string]: Json }

type Installed = {
  /** Of the release. @default the name of the chart */
  readonly name?: string
  /** @default `default` */
  readonly namespace?: string
  /** @default 1 */
  readonly revision?: number
  /** Over the defaults, as `helm install --values` takes them. @default none */
  readonly values?: { readonly [name: string]: Json }
}

/** The objects that Helm would install, computed here. @throws {Refused} for values that the chart refuses */
export function synthesize<F extends Fields>(chart: HelmChart<F>, installed: Installed = {}): readonly Manifest[] {
  const installation: Installation = {
    Values: over(defaultsOf(chart.values), installed.values ?? {}),
    Release: {
      Name: installed.name ?? chart.name,
      Namespace: installed.namespace ?? 'default',
      Revision: installed.revision ?? 1,
    },
    Files: chart.files ?? {},
  }
  const holds = (construct: IConstruct) => {
    const condition = conditionOf(construct)
    return condition === undefined || evaluate(condition.expression, installation) === true
  }
  const { objects, refusals } = build(chart, evaluatingResolver(installation))
  for (const refusal of refusals) {
    if (holds(refusal) && evaluate(refusal.condition.expression, installation) === true)
      throw new Refused(String(evaluate(toExpression(refusal.message), installation)))
  }
  return objects.filter(holds).map((object) => object.toJson())
}

/** The files of the chart, by path. */
export function renderChart<F extends Fields>(chart: HelmChart<F>): ReadonlyMap<string, string> {
  const { objects, refusals } = build(chart, templatingResolver)
  const { name, version, appVersion, description } = chart
  const files = new Map([
    ['Chart.yaml', stringify({ apiVersion: 'v2', name, description, type: 'application', version, appVersion })],
    ['values.yaml', valuesYaml(chart.title, chart.values)],
    ['values.schema.json', `${JSON.stringify(valuesSchema(chart.values), null, 2)}\n`],
    ...objects.map((object): [string, string] => [
      `templates/${object.node.path.split('/').slice(1).join('-')}.yaml`,
      onCondition(object, printManifest(object.toJson())),
    ]),
    ...Object.entries(chart.files ?? {}),
    ...(chart.notes === undefined ? [] : [['templates/NOTES.txt', templatesIn(chart.notes)] as const]),
  ])
  if (refusals.length > 0) files.set('templates/refusals.yaml', refusals.map(printRefusal).join(''))
  const texts = [...files.values()]
  for (const [template, text] of Object.entries(NAMED_TEMPLATES)) {
    if (texts.some((one) => one.includes(`include "${template}"`)))
      files.set(`templates/_${template}.tpl`, `{{- define "${template}" -}}\n${text}{{- end }}\n`)
  }
  return files
}

function build<F extends Fields>(chart: HelmChart<F>, resolver: App['resolvers'][number]) {
  const root = new Chart(new App({ resolvers: [spreadResolver, resolver] }), chart.name, {
    disableResourceNameHashes: true,
  })
  chart.build(root, valuesOf(chart.values))
  refuseRequestsAboveLimits(root, chart.values)
  const all = root.node.findAll()
  return {
    objects: all.filter((node): node is ApiObject => ApiObject.isApiObject(node)),
    refusals: all.filter((node): node is Refusal => node instanceof Refusal),
  }
}

function onCondition(object: IConstruct, text: string): string {
  const condition = conditionOf(object)
  return condition === undefined ? text : `{{- if ${template(condition.expression)} }}\n${text}{{- end }}\n`
}

function printRefusal(refusal: Refusal): string {
  const message = toExpression(refusal.message)
  const fail = `{{- if ${template(refusal.condition.expression)} }}\n{{ fail (${'known' in message ? `print ${template(message)}` : template(message)}) }}\n{{- end }}\n`
  return onCondition(refusal, fail)
}

/** As Helm lays given values over a chart's own: maps entry by entry, all else whole; null takes one away. */
function over(defaults: { readonly [name: string]: Json }, given: { readonly [name: string]: Json }) {
  const merged: { [name: string]: Json } = { ...defaults }
  for (const [name, value] of Object.entries(given)) {
    const before = merged[name]
    if (value === null) delete merged[name]
    else merged[name] = isMap(before) && isMap(value) ? over(before, value) : value
  }
  return merged
}

function isMap(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
