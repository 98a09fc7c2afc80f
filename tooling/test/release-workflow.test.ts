/**
 * The steps of the release workflow, as they stand there, in a checkout of this one: the packages are real. docker and gh
 * only record what they are asked for: there is no container engine and no GitHub here.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { lookForHelm } from '../../platform/tools/find-helm.ts'
import { versionOf } from '../release/version-places.ts'
import { copyOfCheckout } from './copy-of-checkout.ts'
import { CHECKOUT, run } from './run.ts'

type Step = { readonly name?: string; readonly run?: string; readonly env?: Readonly<Record<string, string>> }
const workflow = parse(readFileSync(join(CHECKOUT, '.github/workflows/release.yml'), 'utf8')) as {
  readonly on: { readonly push: { readonly tags: readonly string[] } }
  readonly jobs: { readonly release: { readonly steps: readonly Step[] } }
}
const { steps } = workflow.jobs.release
const VERSION = versionOf(CHECKOUT)
const helm = lookForHelm()
const NEEDS = helm === undefined ? ' (missing: Helm)' : ''

let dir: string
beforeAll(async () => {
  dir = await copyOfCheckout()
  mkdirSync(join(dir, '.bin'))
  // Its own TypeScript, which packs it.
  symlinkSync(join(CHECKOUT, 'client/node_modules'), join(dir, 'client/node_modules'))
  for (const name of ['docker', 'gh']) {
    writeFileSync(
      join(dir, '.bin', name),
      `#!/bin/sh\necho "${name} $*" >> "${dir}/.bin/asked"\nif [ "$1" = login ]; then cat > "${dir}/.bin/password"; fi\n`,
    )
    chmodSync(join(dir, '.bin', name), 0o755)
  }
  // For `go env`, where there is no Go: what it installed is found by its path otherwise.
  if (helm !== undefined) symlinkSync(helm, join(dir, '.bin/helm'))
  writeFileSync(join(dir, '.bin/go'), '#!/bin/sh\necho /nowhere\n')
  chmodSync(join(dir, '.bin/go'), 0o755)
}, 120_000)

/** As GitHub runs a step of the job. */
function runStep(name: string, tag = `v${VERSION}`) {
  const env = {
    PATH: `${dir}/.bin:${dirname(process.execPath)}:${CHECKOUT}node_modules/.bin:${process.env.PATH}`,
    GITHUB_REF_NAME: tag,
    GITHUB_REPOSITORY_OWNER: 'Example-Org',
    GITHUB_ACTOR: 'somebody',
    GH_TOKEN: 'planted-token',
  }
  const script = steps.find((step) => step.name === name)?.run
  if (script === undefined) throw new Error(`release.yml has no step "${name}"`)
  return run('bash', ['-e', '-o', 'pipefail', '-c', script], { cwd: dir, env })
}

const asked = () => (existsSync(join(dir, '.bin/asked')) ? readFileSync(join(dir, '.bin/asked'), 'utf8') : '')

test('a release begins with a tag of a version, and with no other', () => {
  const [pattern = ''] = workflow.on.push.tags
  // The part of GitHub's patterns that it uses is one of regular expressions, too.
  const matches = new RegExp(`^${pattern.replaceAll('.', String.raw`\.`)}$`)
  expect(`v${VERSION}`).toMatch(matches)
  for (const tag of ['v1', 'v1.2.3-rc1', '1.2.3', 'vx.y.z']) expect(tag).not.toMatch(matches)
})

test('nothing is published before all is checked, tested, packed and built', () => {
  const names = steps.flatMap(({ name }) => (name === undefined ? [] : [name]))
  const at = (name: string) => names.indexOf(name)
  expect(at('The tag names this version')).toBeLessThan(at('Check and test'))
  for (const before of [
    'Check and test',
    'Write the release notes',
    'Pack the client',
    'Package the charts',
    'Build the images',
  ]) {
    expect(at(before)).toBeGreaterThan(-1)
    expect(at(before)).toBeLessThan(at('Push the images'))
  }
  expect(names.at(-1)).toBe('Publish the release')
  expect(steps.filter(({ run: script }) => /docker push|gh release/.test(script ?? ''))).toHaveLength(2)
})

test('a tag of another version stops it', async () => {
  expect(await runStep('The tag names this version')).toMatchObject({ code: 0 })
  const { code, output } = await runStep('The tag names this version', 'v9.9.9')
  expect(code).toBe(1)
  expect(output).toContain(`the tag is v9.9.9, and package.json has ${VERSION}`)
})

describe.skipIf(helm === undefined)(`the steps of a release, one after the other${NEEDS}`, () => {
  test('notes, client, charts, contract, images and checksums are of this version', { timeout: 300_000 }, async () => {
    for (const name of ['Write the release notes', 'Pack the client', 'Package the charts', 'Add the contract']) {
      const { code, output } = await runStep(name)
      expect(code, `${name}: ${output}`).toBe(0)
    }
    expect(globSync('*', { cwd: join(dir, 'release') }).sort()).toEqual([
      `hopwhistle-${VERSION}.tgz`,
      `hopwhistle-client-${VERSION}.tgz`,
      `hopwhistle-loadtests-${VERSION}.tgz`,
      `hopwhistle-monitoring-${VERSION}.tgz`,
      `hopwhistle-openapi-${VERSION}.json`,
    ])
    const shown = await run(helm ?? '', ['show', 'chart', join(dir, 'release', `hopwhistle-${VERSION}.tgz`)])
    expect(shown.output).toContain(`appVersion: ${VERSION}`)
    const packed = execFileSync('tar', [
      'xzOf',
      join(dir, `release/hopwhistle-client-${VERSION}.tgz`),
      'package/package.json',
    ])
    expect(JSON.parse(packed.toString())).toMatchObject({ name: '@hopwhistle/client', version: VERSION })
    expect(readFileSync(join(dir, 'release-notes.md'), 'utf8').trim().length).toBeGreaterThan(50)

    for (const name of ['Build the images', 'Push the images', 'Publish the release']) {
      const { code, output } = await runStep(name)
      expect(code, `${name}: ${output}`).toBe(0)
      expect(output).not.toContain('planted-token')
    }
    const commands = asked().trim().split('\n')
    const image = (name: string) => `ghcr.io/example-org/hopwhistle/${name}:${VERSION}`
    for (const name of ['api', 'bench', 'postgres-backup']) {
      const [build, push] = [
        commands.findIndex((each) => each.startsWith(`docker build --tag ${image(name)} `)),
        commands.indexOf(`docker push ${image(name)}`),
      ]
      expect(build).toBeGreaterThan(-1)
      expect(push).toBeGreaterThan(build)
      const { file, folder } = /(?:--file (?<file>\S+) )?(?<folder>\S+)$/.exec(commands[build] ?? '')?.groups ?? {}
      expect(existsSync(join(dir, file ?? `${folder}/Dockerfile`)), commands[build]).toBe(true)
    }
    expect(readFileSync(join(dir, '.bin/password'), 'utf8').trim()).toBe('planted-token')
    expect(asked()).not.toContain('planted-token')
    expect(commands.at(-1)).toMatch(
      new RegExp(`^gh release create v${VERSION} --verify-tag .*SHA256SUMS.*hopwhistle-client`),
    )
    expect(readFileSync(join(dir, 'release-notes.md'), 'utf8')).toContain(`\`${image('api')}\``)
    expect(await run('sha256sum', ['--check', 'SHA256SUMS'], { cwd: join(dir, 'release') })).toMatchObject({ code: 0 })
  })
})
