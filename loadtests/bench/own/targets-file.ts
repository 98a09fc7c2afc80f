/** The file next to a script that lists its targets: `checkout.targets.yaml`. */
import { readFileSync } from 'node:fs'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import { type Document, isNode, isPair, LineCounter, parseDocument, visit } from 'yaml'
import type { JudgedPart } from '../../scenarios/own/plan.ts'
import schema from '../../targets.schema.json' with { type: 'json' }
import { parseExpression, type Target } from './target.ts'

export type TargetsFile = {
  /**
   * Names the result, the report and the history. The script's name if not given.
   * @pattern ^[a-z0-9][a-z0-9-]{0,60}$
   */
  readonly name?: string
  /** By metric of k6, with tags as in `http_req_duration{name:login}`: one or more of k6's threshold expressions. */
  readonly targets: Readonly<Record<string, Expression | readonly [Expression, ...Expression[]]>>
  /** The part of the run that is judged, in seconds after `setup`, so that a ramp does not count. All of it if not given. */
  readonly judged?: JudgedPart
  /**
   * Where the figures of the servers come from. `--prometheus` replaces it.
   * @pattern ^https?://
   */
  readonly prometheus?: string
  /** What to ask Prometheus about the run, by a name of your choice: CPU, memory, what queues. */
  readonly servers?: Readonly<Record<string, ServerQuery>>
}

/**
 * `p(95)<300` (times in ms), `rate<0.01`, `count>=1000`; of a counter, `rate` is a second.
 * @minLength 1
 */
type Expression = string

export type ServerQuery = {
  /**
   * PromQL. Each series of its answer is shown; the highest one is compared with the limit.
   * @minLength 1
   */
  readonly query: string
  /** As in `cores`, `bytes`, `requests`. */
  readonly unit?: string
  /** A number, or PromQL for it. */
  readonly limit?: number | string
}

export type Targets = Omit<TargetsFile, 'targets'> & { readonly targets: readonly Target[] }

/** @throws {Failure} every problem, each with its line and what to write instead */
export function readTargetsFile(path: string): Targets {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Failure(`the targets cannot be read: ${(error as Error).message}`)
  }
  return parseTargets(text, path)
}

/** @throws {Failure} */
export function parseTargets(text: string, path: string): Targets {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const refuse = (problems: readonly string[]) =>
    new Failure(`${problems.join('\n')}\n\nAn example, and what each field means: docs/your-own-load-test.md`)
  if (document.errors.length > 0) {
    throw refuse(document.errors.map(({ message }) => `${path}: ${message.split('\n')[0]}`))
  }
  const at = (keys: readonly string[]) => `${path}:${lineOf(document, lines, keys)}`
  const given: unknown = document.toJS() ?? {}
  const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictTuples: false, verbose: true }).compile(
    schema,
  )
  if (!validate(given)) throw refuse(problemsIn(validate.errors ?? [], at).toSorted(byLine))

  const file = given as TargetsFile
  const problems: string[] = []
  const targets = Object.entries(file.targets).flatMap(([metric, given]) =>
    [given].flat().flatMap((expression) => {
      const target = parseExpression(metric, String(expression), 'targets')
      if (target === undefined) {
        problems.push(
          `${at(['targets', metric])}: the target of ${metric} is "${expression}"; it may be as p(95)<300, avg<120, rate<0.01 or count>=1000, with <, <=, > or >=`,
        )
      }
      return target ?? []
    }),
  )
  for (const metric of Object.keys(file.targets).filter((one) => !METRIC.test(one))) {
    problems.push(
      `${at(['targets', metric])}: "${metric}" is no metric of k6; it may be as http_req_duration or "http_req_duration{name:login}"`,
    )
  }
  const { judged } = file
  if (judged !== undefined && judged.toSeconds <= judged.fromSeconds) {
    problems.push(
      `${at(['judged', 'toSeconds'])}: the judged part ends at ${judged.toSeconds} s, and begins at ${judged.fromSeconds} s; let it end later`,
    )
  }
  if (problems.length > 0) throw refuse(problems)
  return { ...file, targets }
}

const byLine = (a: string, b: string): number => lineIn(a) - lineIn(b)
const lineIn = (problem: string): number => Number(/:(\d+): /.exec(problem)?.[1])

const METRIC = /^[A-Za-z_][\w]*(\{[^{}]+:[^{}]*\})?$/

function problemsIn(errors: readonly ErrorObject[], at: (keys: readonly string[]) => string): readonly string[] {
  const deepest = errors.filter(({ keyword }) => keyword !== 'anyOf' && keyword !== 'oneOf')
  return [
    ...new Set(
      (deepest.length === 0 ? errors : deepest).map(
        ({ instancePath, keyword, params, message, data, parentSchema }) => {
          const keys = instancePath
            .split('/')
            .slice(1)
            .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
          const name = keys.join('.') || 'the file'
          if (keyword === 'additionalProperties') {
            const allowed = Object.keys((parentSchema as { properties?: object } | undefined)?.properties ?? {})
            const unknown = String(params.additionalProperty)
            return `${at([...keys, unknown])}: ${keys.length === 0 ? '' : `${name} has `}"${unknown}", which is not known; there are ${allowed.join(', ')}`
          }
          if (keyword === 'required') return `${at(keys)}: ${name} has no "${params.missingProperty}"; add it`
          return `${at(keys)}: ${name} is ${JSON.stringify(data)}; it ${message}`
        },
      ),
    ),
  ]
}

/** The line of a key, of the nearest one above it that is there, or the first. */
function lineOf(document: Document, lines: LineCounter, keys: readonly string[]): number {
  let line = 1
  let depth = 0
  visit(document, {
    Pair(_, pair, path) {
      const above = path.filter(isPair).map(({ key }) => String(isNode(key) ? key.toJSON() : key))
      const own = [...above, String(isNode(pair.key) ? pair.key.toJSON() : pair.key)]
      if (own.length <= depth || own.length > keys.length || own.some((key, i) => key !== keys[i])) return
      depth = own.length
      const start = isNode(pair.key) ? pair.key.range?.[0] : undefined
      if (start !== undefined) line = lines.linePos(start).line
    },
  })
  return line
}
