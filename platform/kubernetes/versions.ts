import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CHECKOUT } from '../lib/checkout.ts'

/** Versions of what is installed in a cluster in addition to our charts. */
type Versions = {
  readonly kind: string
  readonly metricsServer: string
  readonly k6Operator: string
  readonly images: { readonly postgres: string }
}

export const VERSIONS = JSON.parse(readFileSync(join(CHECKOUT, 'versions.json'), 'utf8')) as Versions
