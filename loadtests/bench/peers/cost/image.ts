import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Failure } from '../../lib/failure.ts'
import { runProgram } from '../../lib/run-program.ts'
import { CHECKOUT } from '../../stack/stack-record.ts'
import type { PartOptions } from '../parts.ts'

const TAG = 'hopwhistle/api:measured'

/**
 * Builds the API's image, and tells its size in bytes as it lies on a disk, base image included.
 *
 * @param builder `docker`, or whatever takes the same words, such as `podman`
 * @throws {Failure}
 */
export async function measureImage(builder: string, { terminal, signal }: PartOptions): Promise<number> {
  await runProgram(builder, ['build', '-f', join(CHECKOUT, 'api', 'Dockerfile'), '-t', TAG, CHECKOUT], {
    env: process.env,
    signal,
    onLine: (line) => terminal.show(`  … cost, image: ${line}`),
  })
  const { stdout } = await promisify(execFile)(builder, ['image', 'inspect', '--format', '{{.Size}}', TAG])
  const bytes = Number(stdout.trim())
  if (!(bytes > 0)) throw new Failure(`${builder} image inspect told no size of ${TAG}: ${stdout.trim()}`)
  return bytes
}
