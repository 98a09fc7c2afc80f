import { spawn } from 'node:child_process'
import { platform } from 'node:os'
import { Failure } from '../command-line/failure.ts'
import { onPath } from '../machine/run-program.ts'
import { lookForHelm } from '../tools/find-helm.ts'
import { VERSIONS } from './versions.ts'

/** The programs that commands use, and how to install each, on macOS and elsewhere. */
const HOW_TO = {
  docker: ['brew install --cask docker', 'https://docs.docker.com/engine/install'],
  kind: ['brew install kind', `go install sigs.k8s.io/kind@v${VERSIONS.kind}`],
  kubectl: ['brew install kubectl', 'https://kubernetes.io/docs/tasks/tools'],
  helm: ['brew install helm', 'make tools'],
} as const satisfies Record<string, readonly [string, string]>

export type Program = keyof typeof HOW_TO

const find = (name: Program) => (name === 'helm' ? lookForHelm() : onPath(name))

/** @throws {Failure} naming every missing program and how to install it */
export function requirePrograms(names: readonly Program[]): void {
  const missing = names.filter((name) => find(name) === undefined)
  if (missing.length === 0) return
  const lines = missing.map((name) => `  ${name.padEnd(8)} ${HOW_TO[name][platform() === 'darwin' ? 0 : 1]}`)
  throw new Failure(`missing, and how to install it:\n${lines.join('\n')}`)
}

export type ProgramOptions = { readonly input?: string; readonly signal?: AbortSignal | undefined }

/**
 * Runs a program to its end and returns its stdout.
 *
 * @throws {Failure} with its output, when its exit code is not 0
 */
export async function ask(
  name: Program,
  args: readonly string[],
  { input = '', signal }: ProgramOptions = {},
): Promise<string> {
  const child = spawn(find(name) ?? name, args, { stdio: 'pipe', ...(signal === undefined ? {} : { signal }) })
  const output: Buffer[] = []
  const said: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
  // If it ends without reading, its exit code says so.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const problem = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, killedBy) => resolve(code === 0 ? undefined : (killedBy ?? `exit code ${code}`)))
  })
  signal?.throwIfAborted()
  if (problem === undefined) return Buffer.concat(output).toString()
  throw new Failure(`${[name, ...args].join(' ')} failed (${problem}):\n${Buffer.concat(said).toString().trim()}`)
}

/** Its stdout, or undefined when its exit code is not 0. */
export function tryTo(name: Program, args: readonly string[], options?: ProgramOptions): Promise<string | undefined> {
  return ask(name, args, options).catch((error: unknown) => {
    if (error instanceof Failure) return undefined
    throw error
  })
}
