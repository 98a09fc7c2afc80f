import { Failure } from '../../platform/command-line/failure.ts'
import { clusterName } from '../../platform/kubernetes/kubectl.ts'
import { tryTo } from '../../platform/kubernetes/programs.ts'
import { CHECKOUT } from '../../platform/lib/checkout.ts'
import { runProgram } from '../../platform/machine/run-program.ts'
import { imageTag } from './image-tag.ts'
import type { ImageBuilder } from './settings.ts'
import type { Steps } from './steps.ts'

export type BuiltImage = {
  /** With a tag that is another one whenever what it is built from is. */
  readonly name: string
  readonly directory: string
  readonly dockerfile: string
  readonly buildArgs?: Readonly<Record<string, string>>
}

export function apiImage(): BuiltImage {
  const dockerfile = 'api/Dockerfile'
  return {
    name: `hopwhistle/api:${imageTag(CHECKOUT, dockerfile)}`,
    directory: CHECKOUT,
    dockerfile: `${CHECKOUT}/${dockerfile}`,
  }
}

/**
 * Builds an image and brings it to the cluster, unless every node has it.
 *
 * @returns its name for the chart; undefined when nothing is to be built
 * @throws {Failure} when it is not known how images get to this cluster, or it did not work
 */
export async function deliverImage(
  { name, directory, dockerfile, buildArgs = {} }: BuiltImage,
  given: ImageBuilder | undefined,
  { terminal, signal }: Steps,
): Promise<string | undefined> {
  const builder = given ?? (await builderOfCluster())
  if (builder.kind === 'none') return undefined
  const image = `${builder.kind === 'push' ? builder.prefix : ''}${name}`
  if (builder.kind !== 'push' && (await everyNodeHas(image))) {
    terminal.step(`  ✓ Image ${image} is on every node`)
    return image
  }
  const run = (command: string, ...args: string[]) =>
    runProgram(command, args, { signal, onLine: (line) => terminal.show(`  … ${line}`) })
  const args = Object.entries(buildArgs).flatMap(([arg, value]) => ['--build-arg', `${arg}=${value}`])
  const what = [image, directory, '-f', dockerfile, ...args]
  const build = async () => {
    if (builder.kind === 'command') {
      const [command, ...first] = builder.command
      await run(command, ...first, ...what)
    } else {
      await run('docker', 'build', '-t', ...what)
      if (builder.kind === 'push') await run('docker', 'push', image)
      else await run('kind', 'load', 'docker-image', image, '--name', await clusterName())
    }
  }
  await terminal.during(`Building ${image}`, build, () => `✓ Image ${image} is built and delivered`)
  return image
}

async function builderOfCluster(): Promise<ImageBuilder> {
  if ((await clusterName()) !== '') return { kind: 'kind' }
  throw new Failure(
    'IMAGE_BUILDER must say how images get to this cluster: push, none, or a command; see npm run cluster -- deploy --help',
  )
}

type Node = { readonly status: { readonly images?: readonly { readonly names?: readonly string[] }[] } }

/** As far as the nodes say, to whoever may look at them, and they do not when they have many: then it is built once more. */
async function everyNodeHas(image: string): Promise<boolean> {
  const nodes = await tryTo('kubectl', ['get', 'nodes', '--output', 'json'])
  if (nodes === undefined) return false
  const { items } = JSON.parse(nodes) as { readonly items: readonly Node[] }
  const names = (node: Node) => (node.status.images ?? []).flatMap((each) => each.names ?? [])
  return items.every((node) => names(node).some((name) => name === image || name.endsWith(`/${image}`)))
}
