import { readFileSync } from 'node:fs'

const read = (path: string) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'))

/** The version of Hopwhistle, of its charts and of its images. */
export const VERSION: string = read('package.json').version

type ImageName =
  | 'api'
  | 'postgresBackup'
  | 'postgres'
  | 'redis'
  | 'prometheus'
  | 'alertmanager'
  | 'grafana'
  | 'postgresExporter'
  | 'redisExporter'
  | 'kubeStateMetrics'

/** Images by what they are for, each with the one version that versions.json names. */
export const IMAGES: Readonly<Record<ImageName, string>> = {
  ...read('versions.json').images,
  api: `hopwhistle/api:${VERSION}`,
  postgresBackup: `hopwhistle/postgres-backup:${VERSION}`,
}

const { k6, curl, nginx } = read('versions.json').images

/** Of a TestRun of k6-operator. */
export const LOADTEST_IMAGES: { readonly k6: string; readonly starter: string } = { k6, starter: curl }

/** Serves the reports of scheduled load tests. */
export const FILE_SERVER_IMAGE: string = nginx

/** What runs and judges load tests in a cluster. */
export const BENCH_IMAGE = `hopwhistle/bench:${VERSION}`
