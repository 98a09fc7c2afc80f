import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CHECKOUT } from '../lib/checkout.ts'

/** The images of a TestRun and the base image of the API, as versions.json pins them. */
export function pinnedImages(): { readonly k6: string; readonly starter: string; readonly node: string } {
  const { images } = JSON.parse(readFileSync(join(CHECKOUT, 'versions.json'), 'utf8')) as {
    readonly images: { readonly k6: string; readonly curl: string; readonly node: string }
  }
  return { k6: images.k6, starter: images.curl, node: images.node }
}

/** `1.8.1` for `grafana/k6:1.8.1`; a digest has no version. */
export const versionOfImage = (image: string): string =>
  /:v?([\w.-]+)(?:@.*)?$/.exec(image)?.[1] ?? 'of unknown version'
