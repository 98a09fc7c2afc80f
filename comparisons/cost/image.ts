import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pinnedImages } from '@hopwhistle/platform/checkout/pinned-images.ts'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { runProgram } from '@hopwhistle/platform/machine/run-program.ts'
import type { PartOptions } from '../parts.ts'

const TAG = 'hopwhistle/api:measured'

/** What the API's image adds, in bytes on a disk, to the one that it is based on. */
export type ImageSize = { readonly addedBytes: number; readonly base: string }

/**
 * Builds the API's image. The size of its base is not ours, and a builder may have another one by that name.
 *
 * @param builder `docker`, or whatever takes the same words, such as `podman`
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
