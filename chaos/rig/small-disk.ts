import { execFile, execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Failure } from '../../platform/command-line/failure.ts'

/** A small file system in memory that can be filled to its last byte. */
export type SmallDisk = {
  fill(): Promise<void>
  /** Removes what `fill` wrote. */
  empty(): void
  unmount(): void
}

const SIZE_MIB = 1_500
const CHUNK = Buffer.alloc(1 << 18)

/** What this machine lacks for one; undefined when nothing. */
export const missingForSmallDisk = (): string | undefined =>
  process.platform === 'linux' && process.getuid?.() === 0 ? undefined : 'root on Linux, for a small file system'

/** @throws {Failure} when it cannot be mounted */
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
      // A child process does most, without blocking this one; then space that was freed meanwhile is filled byte by byte.
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
