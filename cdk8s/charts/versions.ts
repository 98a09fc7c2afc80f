import { readFileSync } from 'node:fs'

const read = (path: string) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'))

/** The version of Hopwhistle, of its charts and of its image. */
export const VERSION: string = read('package.json').version

/** Images by what they are for, each with the one version that versions.json names. */
export const IMAGES: Readonly<Record<'api' | 'postgres' | 'redis', string>> = {
  ...read('versions.json').images,
  api: `hopwhistle/api:${VERSION}`,
}
