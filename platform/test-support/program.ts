/** Runs a command line as its users do, with temporary files in a folder of the test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { makeTempDir } from '../stack/run-as.ts'

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

export type Program = {
  readonly tempDir: string
  start(...args: string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> }
  run(...args: string[]): Promise<Ended>
  /** Command lines of processes with this test's folder in their command line, environment or working directory. */
  leftProcesses(): readonly string[]
  leftFiles(): readonly string[]
  remove(): void
}

export function program(main: URL, env: Readonly<Record<string, string>> = {}): Program {
  const tempDir = makeTempDir('hopwhistle-program-test-')
  const start = (...args: string[]) => {
    const child = spawn(process.execPath, [fileURLToPath(main), ...args], {
      env: { ...process.env, TMPDIR: tempDir, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (data) => (stdout += data))
    child.stderr.on('data', (data) => (stderr += data))
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => resolve({ code, stdout, stderr }))
    })
    return { child, ended }
  }
  return {
    tempDir,
    start,
    run: (...args) => start(...args).ended,
    leftProcesses: () => processesOf(tempDir),
    leftFiles: () => readdirSync(tempDir),
    remove: () => rmSync(tempDir, { recursive: true, force: true }),
  }
}

/** Commands of processes with the folder in their arguments or environment. */
export function processesOf(dir: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
        return `${command} ${environment}`.includes(dir) ? [command] : []
      } catch {
        return []
      }
    })
}
