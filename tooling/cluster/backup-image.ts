import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { VERSIONS } from '../../platform/kubernetes/versions.ts'
import { CHECKOUT } from '../../platform/lib/checkout.ts'
import type { BuiltImage } from './deliver-images.ts'

const DIRECTORY = `${CHECKOUT}/cdk8s/images/postgres-backup`

type Given = {
  readonly postgres?: {
    readonly image?: string
    readonly backup?: { readonly enabled?: boolean; readonly image?: string }
  }
}

/** The image of a primary with backups, on that of `postgres.image`; undefined unless these values files ask for one. */
export function backupImage(files: readonly string[]): BuiltImage | undefined {
  const all = files.map((file) => (parse(readFileSync(file, 'utf8')) as Given | null)?.postgres)
  if (all.findLast((given) => given?.backup?.enabled !== undefined)?.backup?.enabled !== true) return undefined
  if (all.some((given) => given?.backup?.image !== undefined)) return undefined
  const base = all.findLast((given) => given?.image !== undefined)?.image ?? VERSIONS.images.postgres
  const dockerfile = `${DIRECTORY}/Dockerfile`
  const tag = createHash('sha256')
    .update(`${base}\0${readFileSync(dockerfile, 'utf8')}`)
    .digest('hex')
    .slice(0, 12)
  return {
    name: `hopwhistle/postgres-backup:${tag}`,
    directory: DIRECTORY,
    dockerfile,
    buildArgs: { POSTGRES_IMAGE: base },
  }
}
