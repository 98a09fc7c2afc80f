import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Failure } from '../../lib/failure.ts'
import { runProgram } from '../../lib/run-program.ts'
import { CHECKOUT } from '../../stack/stack-record.ts'
import type { PartOptions } from '../parts.ts'

const TAG = 'hopwhistle/api:measured'

const DOCKERFILE = join(CHECKOUT, 'api', 'Dockerfile')

/** In bytes, as it lies on a disk. */
export type ImageSize = { readonly total: number; readonly base: { readonly name: string; readonly bytes: number } }

/**
 * Builds the API's image, and tells its size and that of the image that it is based on.
 *
 * @param builder `docker`, or whatever takes the same words, such as `podman`
 * @throws {Failure}
 */
export async function measureImage(builder: string, { terminal, signal }: PartOptions): Promise<ImageSize> {
  await runProgram(builder, ['build', '-f', DOCKERFILE, '-t', TAG, CHECKOUT], {
    env: process.env,
    signal,
    onLine: (line) => terminal.show(`  … cost, image: ${line}`),
  })
  const name = lastBase(readFileSync(DOCKERFILE, 'utf8'))
  return { total: await bytesOf(builder, TAG), base: { name, bytes: await bytesOf(builder, name) } }
}

const lastBase = (dockerfile: string): string => {
  const name = [...dockerfile.matchAll(/^FROM (\S+)/gm)].at(-1)?.[1]
  if (name === undefined) throw new Failure(`${DOCKERFILE} names no image with FROM`)
  return name
}

async function bytesOf(builder: string, image: string): Promise<number> {
  const { stdout } = await promisify(execFile)(builder, ['image', 'inspect', '--format', '{{.Size}}', image])
  const bytes = Number(stdout.trim())
  if (!(bytes > 0)) throw new Failure(`${builder} image inspect told no size of ${image}: ${stdout.trim()}`)
  return bytes
}
