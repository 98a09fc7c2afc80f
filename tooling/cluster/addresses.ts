import { DEMO_API_KEY } from '@hopwhistle/contract/demo.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { kubectl } from '../../platform/kubernetes/kubectl.ts'
import { tryTo } from '../../platform/kubernetes/programs.ts'
import type { DeploySettings } from './settings.ts'

type Service = {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly spec: {
    readonly type: string
    readonly ports: readonly { readonly port: number; readonly nodePort?: number }[]
  }
  readonly status: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] }
  }
}

/** What people look at, by the component label of its Service, with its port of this machine when kind runs it. */
const SHOWN = [
  { component: 'api', title: 'API', localPort: 3001 },
  { component: 'grafana', title: 'Grafana', localPort: 3000 },
  { component: 'prometheus', title: 'Prometheus', localPort: 9090 },
] as const

/** @returns lines for a terminal: where each part is, or the command that brings it to this machine */
export async function describeAddresses(
  { namespace, release, skip }: DeploySettings,
  inKind: boolean,
): Promise<string> {
  const services = await listOf<Service>('services', namespace)
  const lines: string[] = []
  let api = ''
  for (const { component, title, localPort } of SHOWN) {
    const service = services.find(
      ({ metadata: { labels = {} } }) =>
        labels['app.kubernetes.io/component'] === component &&
        labels['app.kubernetes.io/instance']?.startsWith(release),
    )
    if (service === undefined) continue
    const url = inKind ? `http://localhost:${localPort}` : await urlOf(service)
    const local = `http://localhost:${localPort}`
    const forward = `kubectl --namespace ${namespace} port-forward service/${service.metadata.name} ${localPort}:${service.spec.ports[0]!.port}`
    lines.push(`  ${title.padEnd(11)} ${url ?? `${local}   after ${forward}`}`)
    if (component === 'api') api = url ?? local
    if (component === 'grafana') lines.push(passwordOf(release, namespace))
  }
  const key = skip.has('DEMO_DATA') ? 'YOUR_KEY' : DEMO_API_KEY
  return `Hopwhistle is up in namespace ${namespace}.

${lines.join('\n')}

Try   curl -H 'x-api-key: ${key}' '${api}${ROUTES.reportCalls}?limit=3'
Next  make scale REPLICAS=5 · kubectl --namespace ${namespace} get pods · docs/kubernetes.md
`
}

/** It is not shown: what is printed ends up in logs. */
const passwordOf = (release: string, namespace: string) =>
  `              admin; password: kubectl --namespace ${namespace} get secret ${release}-credentials -o jsonpath='{.data.grafana-password}' | base64 -d`

const FIRST_ADDRESS = '{.items[*].status.addresses[?(@.type=="InternalIP")].address}'

/** Undefined when it can be reached from inside the cluster only. */
async function urlOf({ spec, status }: Service): Promise<string | undefined> {
  const [port] = spec.ports
  const balancer = status.loadBalancer?.ingress?.[0]
  if (balancer !== undefined) return `http://${balancer.hostname ?? balancer.ip}:${port!.port}`
  if (spec.type === 'ClusterIP') return undefined
  // Undefined to whoever may not look at nodes.
  const address = (await tryTo('kubectl', ['get', 'nodes', '--output', `jsonpath=${FIRST_ADDRESS}`]))?.split(' ')[0]
  return address === undefined || address === '' ? undefined : `http://${address}:${port!.nodePort}`
}

async function listOf<T>(kind: string, namespace: string): Promise<readonly T[]> {
  const text = await kubectl('get', kind, '--namespace', namespace, '--output', 'json')
  return (JSON.parse(text) as { readonly items: readonly T[] }).items
}
