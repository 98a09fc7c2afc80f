import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { lookForHelm } from '@hopwhistle/platform/tools/find-helm.ts'
import { onTestFinished } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { Fields } from '../../values/define.ts'
import { type HelmChart, type Manifest, renderChart } from '../../values/helm-chart.ts'
import type { Json } from '../../values/value.ts'

export const helm = lookForHelm()

/** A suffix for the names of tests that are skipped without it. */
export const NEEDS_HELM = helm === undefined ? ' (skipped: Helm is missing, make install)' : ''

/** Runs Helm. @throws with its output, when its exit code is not 0 */
export function runHelm(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(helm ?? 'helm', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const output: Buffer[] = []
    const said: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0 ? resolve(Buffer.concat(output).toString()) : reject(new Error(Buffer.concat(said).toString())),
    )
  })
}

/** Writes a chart into a folder that is removed when the test ends. */
export function chartFolder<F extends Fields>(chart: HelmChart<F>): string {
  const folder = mkdtempSync(join(tmpdir(), 'hopwhistle-chart-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [path, content] of renderChart(chart)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  return folder
}

/** What Helm renders for these values, as the API server would read it. */
export async function helmTemplate(folder: string, name: string, values: { readonly [name: string]: Json } = {}) {
  const file = join(folder, 'given.json')
  writeFileSync(file, JSON.stringify(values))
  return parseManifests(await runHelm(['template', name, folder, '--namespace', 'here', '--values', file]))
}

export function parseManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text, { version: '1.1' }).flatMap((document) => {
    if (document.errors.length > 0) throw new Error(`${document.errors[0]?.message}\n${text}`)
    const manifest = document.toJS() as Manifest | null
    return manifest === null ? [] : [manifest]
  })
}

/** Manifests by kind and name, for comparison. */
export function byName(manifests: readonly Manifest[]): Readonly<Record<string, Json>> {
  const named = manifests.map((manifest): [string, Json] => {
    const { name } = manifest.metadata as { readonly name: string }
    return [`${manifest.kind} ${name}`, manifest]
  })
  // Through JSON, as it goes to the API server.
  return JSON.parse(JSON.stringify(Object.fromEntries(named)))
}
