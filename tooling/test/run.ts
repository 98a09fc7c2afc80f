import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url))

export type Ran = { readonly code: number | null; readonly output: string }

export type RunOptions = { readonly cwd?: string; readonly env?: Readonly<Record<string, string | undefined>> }

/** Runs a program of the checkout or of the system to its end; `output` is all that it said. */
export function run(command: string, args: readonly string[], { cwd = CHECKOUT, env = {} }: RunOptions = {}) {
  const PATH = `${CHECKOUT}node_modules/.bin:${process.env.PATH}`
  // MAKEFLAGS: the tests may themselves be run by make.
  const environment = { ...process.env, MAKEFLAGS: undefined, MAKELEVEL: undefined, PATH, ...env }
  return new Promise<Ran>((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
    const output: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output: Buffer.concat(output).toString() }))
  })
}
