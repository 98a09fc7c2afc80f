/** The versions of the alternatives: those that this workspace pins. */
import { readFileSync } from 'node:fs'

const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>
}

/** `fastify 5.12.8, pg 8.23.1 on Node 24.21.0` */
export const peerVersions = (...names: readonly string[]): string =>
  `${names.map((name) => `${name} ${dependencies[name]}`).join(', ')} on Node ${process.versions.node}`
