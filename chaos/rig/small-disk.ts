import { execFile, execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Failure } from '../../platform/command-line/failure.ts'

/** A small file system of one's own, in memory, that can be filled to its last byte. */
export type SmallDisk = {
  fill(): Promise<void>
  /** Takes away what `fill` wrote. */
  empty(): void
  unmount(): void
}

const SIZE_MIB = 1_500
const CHUNK = Buffer.alloc(1 << 18)

/** What is missing to mount one; undefined when nothing is. */
export const missingForSmallDisk = (): string | undefined =>
  process.platform === 'linux' && process.getuid?.() === 0 ? undefined : 'root on Linux, for a small file system'

/** @throws {Failure} where one may not be mounted */
export function mountSmallDisk(dir: string): SmallDisk {
  const ballast = join(dir, 'ballast')
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m,mode=711`, 'hopwhistle-chaos', dir])
  } catch (cause) {
    throw new Failure(`cannot mount a small file system: ${(cause as Error).message}`)
  }
  return {
    fill: async () => {
      const { bavail, bsize } = statfsSync(dir)
      // By a process of its own, which keeps nobody else waiting; then byte by byte what came free meanwhile.
      await promisify(execFile)('fallocate', ['--length', String(bavail * bsize), ballast]).catch(() => {})
      const file = openSync(ballast, 'a')
      try {
        for (let size = CHUNK.length; size >= 1; size >>= 1) while (writes(file, size));
      } finally {
        closeSync(file)
      }
    },
    empty: () => rmSync(ballast, { force: true }),
    unmount: () => void execFileSync('umount', ['--lazy', dir]),
  }
}

function writes(file: number, size: number): boolean {
  try {
    return writeSync(file, CHUNK, 0, size) === size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
    throw error
  }
}
