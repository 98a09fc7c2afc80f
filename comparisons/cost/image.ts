import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pinnedImages } from '@hopwhistle/platform/checkout/pinned-images.ts'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { runProgram } from '@hopwhistle/platform/machine/run-program.ts'
import type { PartOptions } from '../parts.ts'

const TAG = 'hopwhistle/api:measured'

/** The bytes on disk that the API's image adds to its base image. */
export type ImageSize = { readonly addedBytes: number; readonly base: string }

/**
 * Builds the API's image. The size of the base image is not counted; a builder may have another image by that name.
 *
 * @param builder `docker`, or a program with the same command line, such as `podman`
 * @throws {Failure}
 */
export async function measureImage(builder: string, { terminal, signal }: PartOptions): Promise<ImageSize> {
  await terminal.during('cost: image', () =>
    runProgram(builder, ['build', '-f', join(CHECKOUT, 'api', 'Dockerfile'), '-t', TAG, CHECKOUT], {
      env: process.env,
      signal,
      onLine: (line) => terminal.show(`  … cost, image: ${line}`),
    }),
  )
  const base = pinnedImages().node
  return { addedBytes: (await bytesOf(builder, TAG)) - (await bytesOf(builder, base)), base }
}

async function bytesOf(builder: string, image: string): Promise<number> {
  const { stdout } = await promisify(execFile)(builder, ['image', 'inspect', '--format', '{{.Size}}', image])
  const bytes = Number(stdout.trim())
  if (!(bytes > 0)) throw new Failure(`${builder} image inspect told no size of ${image}: ${stdout.trim()}`)
  return bytes
}
