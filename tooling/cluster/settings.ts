import { Usage } from '../../platform/command-line/failure.ts'

/** How an image gets to where the nodes of the cluster find it. */
export type ImageBuilder =
  /** Built by Docker, then copied into the nodes of a kind cluster. */
  | { readonly kind: 'kind' }
  /** Built by Docker, then pushed; the prefix is the registry and the path in it. */
  | { readonly kind: 'push'; readonly prefix: string }
  /** A program that does both: it gets `IMAGE DIRECTORY -f DOCKERFILE`, and for some `--build-arg`, after its own arguments. */
  | { readonly kind: 'command'; readonly command: readonly [string, ...string[]] }
  /** Nothing is built: the values name an image that the cluster can get. */
  | { readonly kind: 'none' }

export type DeploySettings = {
  readonly namespace: string
  readonly release: string
  /** Helm values files of the platform; a later one wins. */
  readonly values: readonly string[]
  /** The same of its monitoring. */
  readonly monitoringValues: readonly string[]
  /** Absent: kind's, where the cluster is one of kind's. */
  readonly imageBuilder: ImageBuilder | undefined
  readonly skip: ReadonlySet<Part>
}

/** What can be left out, each by its variable set to `skip`. */
export const PARTS = {
  METRICS_SERVER: 'metrics-server, which autoscalers need; one that is there stays',
  K6_OPERATOR: 'k6-operator, which runs load tests in the cluster',
  MONITORING: 'Prometheus, Grafana and their dashboards and alerts',
  DEMO_DATA: '30 days of calls of the demo tenant, whose key everyone knows',
} as const
export type Part = keyof typeof PARTS

export const ENVIRONMENT_HELP = `Environment:
  KUBECONFIG        which cluster: the current context of this file (~/.kube/config)
  NAMESPACE         hopwhistle
  RELEASE           hopwhistle, the name of the Helm release
  VALUES            Helm values files, separated by commas
  MONITORING_VALUES the same for charts/hopwhistle-monitoring
  IMAGE_BUILDER     how images get to the cluster:
                     kind            docker build, kind load: what a kind cluster gets by itself
                     push            docker build, docker push; IMAGE_PREFIX=registry.example.com/team/
                     none            they are there: VALUES names them
                     COMMAND …       run as COMMAND … IMAGE DIRECTORY -f DOCKERFILE, with a --build-arg for some
${Object.entries(PARTS)
  .map(([name, what]) => `  ${name.padEnd(17)} skip: without ${what}`)
  .join('\n')}
`

/** @throws {Usage} naming the variable */
export function readDeploySettings(env: NodeJS.ProcessEnv): DeploySettings {
  return {
    namespace: dnsLabel('NAMESPACE', env.NAMESPACE || 'hopwhistle'),
    release: dnsLabel('RELEASE', env.RELEASE || 'hopwhistle'),
    values: files(env.VALUES),
    monitoringValues: files(env.MONITORING_VALUES),
    imageBuilder: imageBuilder(env.IMAGE_BUILDER ?? '', env.IMAGE_PREFIX ?? ''),
    skip: new Set((Object.keys(PARTS) as Part[]).filter((part) => isSkipped(part, env[part] ?? ''))),
  }
}

const files = (given = '') => given.split(',').filter((file) => file !== '')

function imageBuilder(given: string, prefix: string): ImageBuilder | undefined {
  const [first, ...rest] = given.split(/\s+/).filter((word) => word !== '')
  if (first === undefined) return undefined
  if (first === 'kind' || first === 'none') return { kind: first }
  if (first !== 'push') return { kind: 'command', command: [first, ...rest] }
  if (prefix === '')
    throw new Usage('IMAGE_BUILDER is push; IMAGE_PREFIX must say where to, such as registry.example.com/team/')
  return { kind: 'push', prefix: prefix.endsWith('/') ? prefix : `${prefix}/` }
}

function isSkipped(part: Part, given: string): boolean {
  if (given !== '' && given !== 'skip') throw new Usage(`${part} is "${given}"; it may be skip, or not set`)
  return given === 'skip'
}

/** Helm allows 53 characters; names of ours follow the release's. */
function dnsLabel(name: string, given: string): string {
  if (/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/.test(given)) return given
  throw new Usage(`${name} is "${given}"; it must be 1 to 40 of a-z, 0-9 and -, beginning with a letter`)
}
