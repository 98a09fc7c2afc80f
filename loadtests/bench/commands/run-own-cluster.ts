/** `run SCRIPT --cluster`: a k6 script of somebody else, by k6-operator in the cluster of the kubeconfig. */
import { rmSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { pinnedImages, versionOfImage } from '@hopwhistle/platform/checkout/pinned-images.ts'
import type { CommandContext } from '@hopwhistle/platform/command-line/command.ts'
import { Failure, Usage } from '@hopwhistle/platform/command-line/failure.ts'
import { wholeNumber } from '@hopwhistle/platform/command-line/parse-options.ts'
import { plural } from '@hopwhistle/platform/document/figures.ts'
import { writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { connect } from '@hopwhistle/platform/kubernetes/connect.ts'
import { makeTempDir } from '@hopwhistle/platform/stack/run-as.ts'
import { findK6 } from '@hopwhistle/platform/tools/find-k6.ts'
import { stringify } from 'yaml'
import { podsLike } from '../../kubernetes/stored-pods.ts'
import { archiveTestRun, LONGEST_NAME, MOST_RUNNERS } from '../../kubernetes/test-run.ts'
import { keepAsKind } from '../cluster/kept-result.ts'
import { requireAlone, whenAlone } from '../cluster/one-at-a-time.ts'
import { ownConfigMap, ownSecret, secretVariables } from '../cluster/own-belongings.ts'
import { type PodOptions, readPodOptions } from '../cluster/pod-options.ts'
import { applyTestRun, deleteTestRun, requireOperator } from '../cluster/test-runs.ts'
import { exitCodeOf } from '../judge/exit-code.ts'
import { type Archive, archiveScript } from '../own/archive.ts'
import { judgeOwn } from '../own/judge-own.ts'
import { keepOwn } from '../own/keep-own.ts'
import { measureOwnOnCluster } from '../own/measure-on-cluster.ts'
import { loadOf } from '../own/measure-own.ts'
import { OF_SCRIPTS } from '../own/own-evidence.ts'
import type { OwnResult } from '../own/own-result.ts'
import { type OwnRun, ownRun } from '../own/own-run.ts'
import { renderOwn } from '../own/render-own.ts'
import type { Targets } from '../own/targets-file.ts'
import { newRunId } from '../run/new-run-id.ts'
import { RESULTS_DIR } from '../run/result-files.ts'
import { runnerResources } from './cluster-options.ts'
import type { ClusterValues } from './run-cluster.ts'

export type OwnClusterRun = {
  /** An absolute path. */
  readonly script: string
  readonly name: string
  readonly targets: Targets
  readonly env: Readonly<Record<string, string>>
  /** Names of variables of this command. */
  readonly secrets: readonly string[]
  readonly k6Options: readonly string[]
  readonly manifest: string | undefined
  readonly values: ClusterValues
}

/** What is of our scenarios alone. */
const NOT_OF_SCRIPTS = ['document', 'keep-results', 'keep-reports', 'missed-exit-code'] as const

/** @returns the exit code that the verdict makes */
export async function runOwnOnCluster(given: OwnClusterRun, context: CommandContext): Promise<number> {
  const { script, name, targets, k6Options, env, manifest, values } = given
  const { terminal, signal, print } = context
  const refused = NOT_OF_SCRIPTS.find((option) => values[option] !== undefined)
  if (refused !== undefined) throw new Usage(`--${refused} is of our scenarios`)
  const parallelism = wholeNumber('--parallelism', values.parallelism ?? '2', 1, MOST_RUNNERS)
  const startWithinSeconds = wholeNumber('--start-within', values['start-within'] ?? '180', 1, 86_400)
  const secrets = Object.fromEntries(given.secrets.map(secretOf))

  const k6 = await findK6(terminal, signal)
  const scratchDir = makeTempDir('hopwhistle-archive-')
  const runId = newRunId()
  let archive: Archive
  try {
    archive = await archiveScript({
      k6,
      name,
      script,
      targets,
      runId,
      k6Options,
      env,
      scratchDir: join(scratchDir, 'k6'),
    })
  } finally {
    rmSync(scratchDir, { recursive: true, force: true })
  }
  if (archive.maxVUs < parallelism) {
    throw new Failure(
      `${name} has ${plural(archive.maxVUs, 'virtual user')}, and k6-operator gives each runner one at least: --parallelism ${archive.maxVUs} or less`,
    )
  }

  const make = (namespace: string | undefined, podOptions: PodOptions | undefined) => {
    const ofChart = podOptions && { k6: podOptions.stored.runner.image, starter: podOptions.stored.starter.image }
    const images = { ...pinnedImages(), ...ofChart, ...(values.image === undefined ? {} : { k6: values.image }) }
    const run = ownRun(
      { name, script: basename(script), runId, load: loadOf(given), k6: versionOfImage(images.k6) },
      targets,
      archive.seconds,
    )
    const testRunName = nameOf(name, runId)
    const own = { name: testRunName, ...(namespace === undefined ? {} : { namespace }), scenario: name }
    const secret = given.secrets.length === 0 ? undefined : ownSecret(own, secrets)
    const testRun = archiveTestRun({
      ...own,
      parallelism,
      configMap: testRunName,
      images,
      runnerResources: runnerResources(
        values['runner-limits'],
        values['runner-requests'],
        podOptions?.stored.runner.resources,
      ),
      runnerEnv: secret === undefined ? [] : secretVariables(secret),
      ...(podOptions === undefined ? {} : podsLike(podOptions.stored, name)),
    })
    const map = ownConfigMap(own, { archive: archive.content, run: JSON.stringify(run) })
    return { run, testRun, belongings: [map, ...(secret === undefined ? [] : [secret])] }
  }

  if (manifest !== undefined) {
    const { testRun, belongings } = make(values.namespace, undefined)
    const [map, secret] = belongings
    await writeWhole(manifest, [map, testRun].map((object) => `---\n${stringify(object, { lineWidth: 0 })}`).join(''))
    print(`Wrote ${relative(process.cwd(), manifest)}: ConfigMap and TestRun ${testRun.metadata.name}.\n`)
    if (secret !== undefined) {
      // A secret has no place in a file.
      const entries = given.secrets.map((key) => `--from-literal=${key}="$${key}"`).join(' ')
      print(`Without the values of its Secret: kubectl create secret generic ${testRun.metadata.name} ${entries}\n`)
    }
    print(`Then: kubectl apply -f FILE, and at once main.ts collect ${testRun.metadata.name}\n`)
    return 0
  }

  const cluster = connect(values.namespace)
  await requireOperator(cluster)
  const podOptions = await readPodOptions(cluster, values.release)
  if (podOptions !== undefined) terminal.step(`  ✓ Pods as of release ${podOptions.release} of the load tests`)
  const { run, testRun, belongings } = make(cluster.namespace, podOptions)
  const testRunName = testRun.metadata.name
  const measure = async () => {
    let applied = false
    try {
      const measured = await measureOwnOnCluster({
        cluster,
        name: testRunName,
        run,
        parallelism,
        async apply() {
          signal.throwIfAborted()
          applied = true
          await applyTestRun(cluster, testRun, belongings)
          await requireAlone(cluster, testRunName).catch(async (error) => {
            await deleteTestRun(cluster, testRunName)
            throw error
          })
          terminal.step(`  ✓ TestRun ${cluster.namespace}/${testRunName}: ${plural(parallelism, 'runner')}`)
        },
        prometheus: targets.prometheus,
        startWithinSeconds,
        terminal,
        signal,
      })
      // For somebody who collects it later: what was sampled is known now or never.
      if (values.keep !== true) return measured
      const { result, note } = await keepAsKind(cluster, testRunName, measured, OF_SCRIPTS)
      if (note !== undefined) terminal.step(`  - ${note}`)
      return result
    } finally {
      terminal.clear()
      if (applied && values.keep !== true) await deleteTestRun(cluster, testRunName)
    }
  }
  const result = await whenAlone(cluster, { wait: values.wait === true, terminal, signal }, measure)
  return tellOwn(result, values['results-dir'], print)
}

/** Judges and keeps it, and says so. @returns the exit code that the verdict makes */
export async function tellOwn(
  measured: OwnResult,
  resultsDir: string | undefined,
  print: (text: string) => void,
): Promise<number> {
  const verdict = judgeOwn(measured)
  const kept = await keepOwn({ ...measured, verdict }, resultsDir ?? RESULTS_DIR)
  print(renderOwn(measured, verdict))
  print(kept.map(([what, path]) => `${what}: ${relative(process.cwd(), path)}\n`).join(''))
  return exitCodeOf([verdict])
}

/** Of a TestRun, of which the operator makes names of Services: they begin with a letter. */
function nameOf(name: string, runId: OwnRun['runId']): string {
  const begun = /^[a-z]/.test(name) ? name : `run-${name}`
  return `${begun.slice(0, LONGEST_NAME - runId.length - 1).replace(/-+$/, '')}-${runId}`
}

/** @throws {Usage} */
function secretOf(name: string): readonly [string, string] {
  if (!/^[A-Za-z_]\w*$/.test(name)) throw new Usage('--secret-env may be the name of a variable of this command')
  const value = process.env[name]
  if (value === undefined) throw new Usage(`--secret-env names ${name}, and this command has no such variable`)
  return [name, value]
}
