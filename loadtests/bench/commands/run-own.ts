/** `run SCRIPT`: a k6 script of somebody else, judged like ours. */
import { existsSync, rmSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { CommandContext } from '@hopwhistle/platform/command-line/command.ts'
import { Failure, Usage } from '@hopwhistle/platform/command-line/failure.ts'
import { measureAlone } from '@hopwhistle/platform/machine/measure-alone.ts'
import { readPlace } from '@hopwhistle/platform/machine/place.ts'
import { startGuard } from '@hopwhistle/platform/stack/guard.ts'
import { makeTempDir } from '@hopwhistle/platform/stack/run-as.ts'
import { findK6 } from '@hopwhistle/platform/tools/find-k6.ts'
import { measureOwn } from '../own/measure-own.ts'
import { readTargetsFile, type Targets } from '../own/targets-file.ts'
import { neighboursOf } from './measurement-options.ts'
import type { ClusterValues } from './run-cluster.ts'
import { runOwnOnCluster, tellOwn } from './run-own-cluster.ts'

export const OWN_OPTIONS = {
  targets: { type: 'string' },
  prometheus: { type: 'string' },
  env: { type: 'string', multiple: true },
  'secret-env': { type: 'string', multiple: true },
  manifest: { type: 'string' },
} as const

export const OWN_HELP = `A script of your own, any that k6 runs (docs/your-own-load-test.md):

  SCRIPT               a path that ends in .js or .ts. The script contains its own URLs; the platform does not have to run
  --targets FILE       the targets of the script; if not given, SCRIPT.targets.yaml next to it, if it exists. The script's
                       own thresholds are targets as well
  --prometheus URL     the Prometheus that the queries of the targets file ask. A URL with a password belongs in the
                       variable PROMETHEUS_URL instead, where no process list shows it
  --env NAME=VALUE     as in k6. The script also gets the environment of this command, without the variables K6_…
  -- K6 OPTIONS        options of \`k6 run\`, as in: -- --vus 10 --duration 30s
  --cluster            run it with k6-operator, with the Kubernetes options above except --document, --keep-results and
                       --keep-reports. Runners get the script as a k6 archive: with all files that it imports and opens,
                       and the variables of --env, but no other variable of this command
  --secret-env NAME    a variable of this command to pass to runners in a Secret; may be repeated
  --manifest FILE      with --cluster: run nothing; write the TestRun, for kubectl apply and main.ts collect`

export const isScript = (given: string): boolean => /\.(js|ts|mjs|cjs)$/.test(given)

type OwnValues = ClusterValues & {
  readonly targets?: string | undefined
  readonly prometheus?: string | undefined
  readonly env?: readonly string[] | undefined
  readonly 'secret-env'?: readonly string[] | undefined
  readonly manifest?: string | undefined
  readonly neighbour?: readonly string[] | undefined
  readonly wait: boolean
  readonly cluster: boolean
  readonly profile?: string | undefined
  readonly 'api-url'?: string | undefined
}

export type OwnRun = {
  readonly scripts: readonly string[]
  readonly values: OwnValues
  readonly k6Options: readonly string[]
}

/** @throws {Usage} when an option is given that needs a script */
export function refuseOwnOptions(values: OwnValues, k6Options: readonly string[]): void {
  const options = Object.keys(OWN_OPTIONS) as (keyof typeof OWN_OPTIONS)[]
  const given = options.find((name) => values[name] !== undefined)
  if (given !== undefined) throw new Usage(`--${given} is of a script of your own: name one, as ./checkout.ts`)
  if (k6Options.length > 0) throw new Usage('options of k6 are of a script of your own: name one, as ./checkout.ts')
}

/** @returns the exit code that the verdict makes */
export async function runOwn({ scripts, values, k6Options }: OwnRun, context: CommandContext): Promise<number> {
  const { terminal, signal, print } = context
  const [given = '', another] = scripts
  const refused = (['profile', 'api-url'] as const).find((name) => values[name] !== undefined)
  if (refused !== undefined) {
    throw new Usage(`--${refused} is of our scenarios; a script of your own names its own target and load`)
  }
  const ofCluster = (['secret-env', 'manifest'] as const).find((name) => values[name] !== undefined)
  if (ofCluster !== undefined && !values.cluster) {
    throw new Usage(`--${ofCluster} is of a run in Kubernetes: give --cluster, too`)
  }
  if (another !== undefined) throw new Usage(`"${another}" stands beside "${given}"; a script of your own runs alone`)
  const script = resolve(given)
  if (!existsSync(script)) throw new Failure(`${given} does not exist`)
  const targets = targetsFor(script, values)
  const name = targets.name ?? nameOf(script)
  const variables = Object.fromEntries((values.env ?? []).map(variable))
  if (values.cluster) {
    const { 'secret-env': secrets = [], manifest } = values
    return runOwnOnCluster({ script, name, targets, env: variables, secrets, k6Options, manifest, values }, context)
  }
  const env = { ...ownEnvironment(), ...variables }
  const alone = { ...context, command: `main.ts run ${given}`, wait: values.wait }
  return measureAlone(alone, async () => {
    const k6 = await findK6(terminal, signal)
    const place = await readPlace(neighboursOf(values.neighbour ?? []))
    const scratchDir = makeTempDir('hopwhistle-run-')
    const guard = startGuard()
    guard.remove(scratchDir)
    try {
      const measure = () =>
        measureOwn({
          name,
          script,
          targets,
          k6Options,
          env,
          k6,
          place,
          scratchDir: join(scratchDir, 'k6'),
          guard,
          terminal,
          signal,
        })
      const measured = await terminal.during(name, measure, () => `✓ ${name} ran`)
      return await tellOwn(measured, values['results-dir'], print)
    } finally {
      terminal.clear()
      guard.off()
      rmSync(scratchDir, { recursive: true, force: true })
    }
  })
}

function targetsFor(script: string, values: OwnValues): Targets {
  const { targets: given, prometheus = process.env.PROMETHEUS_URL || undefined } = values
  const beside = script.replace(/\.\w+$/, '.targets.yaml')
  const path = given ?? (existsSync(beside) ? beside : undefined)
  const targets = path === undefined ? { targets: [] } : readTargetsFile(path)
  return prometheus === undefined ? targets : { ...targets, prometheus }
}

/** `./Check Out.ts` is `check-out`. */
const nameOf = (script: string): string =>
  basename(script)
    .replace(/\.\w+$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '') || 'script'

/** @throws {Usage} */
function variable(given: string): readonly [string, string] {
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(given) ?? []
  // What stands behind a name may be a secret.
  if (name === undefined || value === undefined) throw new Usage('--env may be as NAME=VALUE')
  return [name, value]
}

/** Without k6's own settings, which would change what is measured, and what the script need not know. */
const ownEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || name.startsWith('K6') || name === 'PROMETHEUS_URL' ? [] : [[name, value]],
    ),
  )
