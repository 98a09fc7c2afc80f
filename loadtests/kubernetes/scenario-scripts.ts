/**
 * A scenario with everything it imports, as a ConfigMap holds it: no folders, for k6-operator mounts one ConfigMap flat
 * at /test.
 *
 * Nothing is compiled: k6 runs TypeScript as it is, so that its errors name lines of our files. `scenarios/lib/phases.ts`
 * becomes `lib.phases.ts`, and whoever imports it says so.
 */
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ScenarioName } from '@hopwhistle/contract/scenarios.ts'

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url))
const SCENARIOS = join(CHECKOUT, 'loadtests', 'scenarios')

/** Kubernetes refuses more than 1 MiB; `kubectl apply` keeps what it applied in an annotation of at most 256 KiB. */
export const MOST_BYTES = 240 * 1024

/** `from './lib/phases.ts'`, in imports and exports of one line or several; packages of k6 do not begin with a dot. */
const IMPORT = /(\bfrom |^import )'(\.{1,2}\/[^']+)'/gm

/** The name of the file that k6 is to run. */
export const scriptFile = (scenario: ScenarioName): string => `${scenario}.ts`

/**
 * @returns the text of each file by its flat name, in the order of the names
 * @throws {Error} when they are more than a ConfigMap may hold, or two files have the same flat name
 */
export function scenarioScripts(scenario: ScenarioName): Readonly<Record<string, string>> {
  const texts = new Map<string, string>()
  const visit = (path: string): void => {
    const name = flatName(path)
    if (texts.has(name)) return
    const source = readFileSync(path, 'utf8')
    const imported = [...source.matchAll(IMPORT)].map(([, , specifier = '']) => join(dirname(path), specifier))
    texts.set(
      name,
      source.replace(IMPORT, (_, before, specifier) => `${before}'./${flatName(join(dirname(path), specifier))}'`),
    )
    for (const other of imported) visit(other)
  }
  visit(join(SCENARIOS, scriptFile(scenario)))
  const bytes = [...texts].reduce((sum, [name, text]) => sum + Buffer.byteLength(name) + Buffer.byteLength(text), 0)
  if (bytes > MOST_BYTES) {
    throw new Error(`the files of ${scenario} are ${bytes} bytes; a ConfigMap may hold ${MOST_BYTES}`)
  }
  return Object.fromEntries([...texts].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Folders become a part of the name; the scenarios' own folder needs none. */
function flatName(path: string): string {
  const inScenarios = relative(SCENARIOS, path)
  const place = inScenarios.startsWith('..') ? relative(CHECKOUT, path) : inScenarios
  return place.replaceAll('\\', '/').replaceAll('/', '.')
}
