/**
 * Where the version of Hopwhistle is. The version of package.json is the one that counts. The charts with the images that
 * they name, and the OpenAPI document, are generated from it; the manifests and the texts here are written by
 * `npm run release`.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

type Manifest = {
  readonly version?: string
  readonly workspaces?: readonly string[]
} & { readonly [group: string]: unknown }
type Versioned = { readonly place: string; readonly version: string | undefined }

const GROUPS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']
const OWN_PACKAGE = /^@hopwhistle\//
/** Examples that name a file or an image of this version. */
const TEXTS = ['client/README.md', 'loadtests/README.md', 'loadtests/Dockerfile']
const IN_TEXT = /(hopwhistle-client-|hopwhistle\/[\w-]+:)(\d+\.\d+\.\d+)/g

export function versionOf(checkout: string): string {
  return String(manifest(checkout, 'package.json').version)
}

/** What does not have the version of package.json, by place. */
export function versionProblems(checkout: string): readonly string[] {
  const wanted = versionOf(checkout)
  const all = [...inManifests(checkout), ...inLockfile(checkout), ...inTexts(checkout), ...inGenerated(checkout)]
  return all
    .filter(({ version }) => version !== wanted)
    .map(({ place, version }) => `${place} has version ${version ?? 'none'}, and package.json has ${wanted}`)
}

/** Writes the version into every place that no generator writes. */
export function writeVersion(checkout: string, version: string): void {
  const was = versionOf(checkout)
  for (const file of manifestsOf(checkout)) edit(checkout, file, (text) => json(withVersion(JSON.parse(text), version)))
  edit(checkout, 'package-lock.json', (text) => {
    const lock = JSON.parse(text) as { packages: Record<string, Manifest> }
    const packages = Object.entries(lock.packages).map(([path, each]) => [
      path,
      isOwn(path) ? withVersion(each, version) : each,
    ])
    return json({ ...lock, version, packages: Object.fromEntries(packages) })
  })
  for (const file of TEXTS)
    edit(checkout, file, (text) => text.replaceAll(IN_TEXT, (all, what, old) => (old === was ? what + version : all)))
}

const manifestsOf = (checkout: string): readonly string[] => [
  'package.json',
  ...(manifest(checkout, 'package.json').workspaces ?? []).map((folder) => `${folder}/package.json`),
]

const inManifests = (checkout: string): readonly Versioned[] =>
  manifestsOf(checkout).flatMap((file) => inManifest(file, manifest(checkout, file)))

function inLockfile(checkout: string): readonly Versioned[] {
  const { packages } = manifest(checkout, 'package-lock.json') as { readonly packages: Record<string, Manifest> }
  return Object.entries(packages)
    .filter(([path]) => isOwn(path))
    .flatMap(([path, each]) => inManifest(`package-lock.json: ${path || 'the root'}`, each))
}

function inManifest(place: string, given: Manifest): readonly Versioned[] {
  const ours = GROUPS.flatMap((group) => Object.entries((given[group] ?? {}) as Record<string, string>))
    .filter(([name]) => OWN_PACKAGE.test(name))
    .map(([name, version]) => ({ place: `${place}: ${name}`, version }))
  return [{ place, version: given.version }, ...ours]
}

const inTexts = (checkout: string): readonly Versioned[] =>
  TEXTS.flatMap((file) =>
    [...read(checkout, file).matchAll(IN_TEXT)].map(([, what = '', version]) => ({
      place: `${file}: ${what}`,
      version,
    })),
  )

function inGenerated(checkout: string): readonly Versioned[] {
  const { info } = JSON.parse(read(checkout, 'api/openapi.json')) as { readonly info: { readonly version: string } }
  const charts = globSync('charts/*/Chart.yaml', { cwd: checkout }).flatMap((file) => {
    const { version, appVersion } = parse(read(checkout, file)) as {
      readonly version: string
      readonly appVersion: string
    }
    return [
      { place: `${file}: version`, version },
      { place: `${file}: appVersion`, version: appVersion },
    ]
  })
  const images = globSync('charts/*/values.yaml', { cwd: checkout }).flatMap((file) =>
    [...read(checkout, file).matchAll(/ (hopwhistle\/[\w-]+):(\S+)/g)].map(([, image, version]) => ({
      place: `${file}: ${image}`,
      version,
    })),
  )
  return [{ place: 'api/openapi.json', version: info.version }, ...charts, ...images]
}

/** Of the repository, not of a package that is installed. */
const isOwn = (path: string): boolean => !path.includes('node_modules')

function withVersion(given: Manifest, version: string): Manifest {
  const groups = GROUPS.filter((group) => group in given).map((group) => [
    group,
    Object.fromEntries(
      Object.entries(given[group] as Record<string, string>).map(([name, old]) => [
        name,
        OWN_PACKAGE.test(name) ? version : old,
      ]),
    ),
  ])
  return { ...given, ...(given.version === undefined ? {} : { version }), ...Object.fromEntries(groups) }
}

const read = (checkout: string, file: string): string => readFileSync(join(checkout, file), 'utf8')
const manifest = (checkout: string, file: string): Manifest => JSON.parse(read(checkout, file))
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

function edit(checkout: string, file: string, change: (text: string) => string): void {
  writeFileSync(join(checkout, file), change(read(checkout, file)))
}
