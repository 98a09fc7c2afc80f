import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../../platform/command-line/failure.ts'

export type FuzzRun = {
  readonly command: string
  readonly apiUrl: string
  /** Absent: requests are sent without a key. */
  readonly apiKey?: string
  readonly seed: number
  /** The most requests for each operation and phase. */
  readonly examples: number
  readonly signal?: AbortSignal
}

export type FuzzOutcome = {
  /** Requests that were generated, sent and checked. */
  readonly cases: number
  readonly failures: number
  /** What schemathesis printed about each failure, with how to repeat it. */
  readonly report: string
}

type Report = {
  readonly complete: boolean
  readonly test_cases: { readonly generated: number; readonly unique_failures: number }
}

const CONFIG = new URL('schemathesis.toml', import.meta.url)
const WITH_KEY = new URL('with-key.toml', import.meta.url)
/** A WebSocket; it has its own tests. */
const LEFT_OUT = '/api/v1/live'

/**
 * Lets schemathesis generate valid and invalid requests for the whole OpenAPI document, and check each answer.
 *
 * @throws {Failure} when it did not finish
 */
export async function runSchemathesis(run: FuzzRun): Promise<FuzzOutcome> {
  const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-fuzz-'))
  try {
    // The key is in the environment, because every user can read the arguments of a process.
    const config = [CONFIG, ...(run.apiKey === undefined ? [] : [WITH_KEY])].map((file) => readFileSync(file, 'utf8'))
    writeFileSync(join(dir, 'schemathesis.toml'), config.join(''))
    const output = await outputOf(run, dir)
    const report = readReport(join(dir, 'report.json'), output)
    return {
      cases: report.test_cases.generated,
      failures: report.test_cases.unique_failures,
      report: output.slice(Math.max(0, output.indexOf('= FAILURES ='))),
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function outputOf({ command, apiUrl, apiKey, seed, examples, signal }: FuzzRun, dir: string): Promise<string> {
  const args = ['--config-file', join(dir, 'schemathesis.toml'), 'run', `${apiUrl}/openapi.json`, '--no-color']
  args.push('--exclude-path', LEFT_OUT, '--max-examples', String(examples), '--seed', String(seed))
  args.push('--continue-on-failure', '--suppress-health-check', 'all', '--warnings', 'off')
  args.push('--report', 'json', '--report-json-path', join(dir, 'report.json'))
  const env = {
    PATH: process.env.PATH,
    HOME: dir,
    PYTHONUTF8: '1',
    ...(apiKey === undefined ? {} : { HOPWHISTLE_API_KEY: apiKey }),
  }
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'], ...(signal && { signal }) })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    child.once('error', reject)
    child.once('close', () => resolve(output))
  })
}

function readReport(file: string, output: string): Report {
  let report: Report | undefined
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch {
    // Reported below, with the output.
  }
  if (report?.complete !== true) throw new Failure(`schemathesis did not come to its end:\n${output.slice(-3000)}`)
  return report
}
