import { Failure, Usage } from '../../../platform/command-line/failure.ts'
import { parseOptions } from '../../../platform/command-line/parse-options.ts'
import { kubectl, requireCluster } from '../../../platform/kubernetes/kubectl.ts'
import { requirePrograms } from '../../../platform/kubernetes/programs.ts'
import { quantity } from '../../../platform/kubernetes/quantity.ts'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { installChart } from '../install-chart.ts'
import { readDeploySettings } from '../settings.ts'
import type { Steps } from '../steps.ts'
import type { ClusterCommand } from './cluster-command.ts'

/** Some clouds grow a disk of a terabyte this slowly. */
const WITHIN_MS = 30 * 60_000

type Volume = { readonly chart: string; readonly after: string; readonly value: string; readonly claims: RegExp }

/** By the name on the command line: the value with its size, and its claims. */
const VOLUMES: Readonly<Record<string, Volume>> = {
  postgres: {
    chart: 'hopwhistle',
    after: '',
    value: 'postgres.storage',
    claims: /^data-(.*-postgres(?:-replica)?)-0$/,
  },
  'postgres-backup': {
    chart: 'hopwhistle',
    after: '',
    value: 'postgres.backup.storage',
    claims: /-postgres-backup$/,
  },
  prometheus: {
    chart: 'hopwhistle-monitoring',
    after: '-monitoring',
    value: 'prometheus.storage',
    claims: /^data-(.*-prometheus)-0$/,
  },
}

export const growVolume: ClusterCommand = {
  summary: 'give the volumes of a database more room',
  help: `Usage: main.ts grow-volume --volume NAME --size SIZE

Grows volumes to SIZE, such as 40Gi, where their storage class allows that: NAME is postgres, the primary and its
replica; postgres-backup; or prometheus. The pods go on meanwhile. Nothing is changed before Kubernetes has said that
it would grow all of them. Then their StatefulSets, which Kubernetes does not let change, are made again around the
pods that run, and the size becomes a value of the release. When this is stopped in the middle, run it again.

Environment:
  KUBECONFIG   which cluster: the current context of this file (~/.kube/config)
  NAMESPACE    hopwhistle
  RELEASE      hopwhistle
`,
  async run(args, steps) {
    const { values } = parseOptions(args, {
      volume: { type: 'string', default: '' },
      size: { type: 'string', default: '' },
    })
    const volume = VOLUMES[values.volume]
    if (volume === undefined)
      throw new Usage(`--volume is "${values.volume}"; it may be ${Object.keys(VOLUMES).join(', ')}`)
    const { size } = values
    if (!(quantity(size) > 0)) throw new Usage(`--size is "${size}"; it must be an amount such as 40Gi`)
    const settings = readDeploySettings(process.env)
    requirePrograms(['kubectl', 'helm'])
    await requireCluster()

    const { namespace } = settings
    const release = `${settings.release}${volume.after}`
    const claims = await claimsOf(release, namespace, volume)
    await refuseUnlessAllGrow(claims, size, namespace)
    for (const { metadata } of claims) await grow(metadata.name, size, namespace, steps)
    for (const { metadata } of claims) await letGo(metadata.name.replace(volume.claims, '$1'), size, namespace)
    await installChart({ chart: volume.chart, release, namespace, set: { [volume.value]: size } }, steps)
    return `${volume.value} is ${size}. Write it into your values files too.\n`
  },
}

type Claim = {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly resources: { readonly requests: { readonly storage: string } } }
  readonly status: {
    readonly capacity?: { readonly storage: string }
    readonly conditions?: readonly { readonly type: string; readonly message?: string }[]
  }
}

async function claimsOf(release: string, namespace: string, { claims }: Volume): Promise<readonly Claim[]> {
  const labelled = ['--selector', `app.kubernetes.io/instance=${release}`, '--namespace', namespace]
  const { items } = JSON.parse(await kubectl('get', 'pvc', ...labelled, '--output', 'json')) as {
    readonly items: readonly Claim[]
  }
  const found = items.filter(({ metadata }) => claims.test(metadata.name))
  if (found.length === 0) throw new Failure(`release ${release} in namespace ${namespace} has no such volume`)
  return found
}

const patch = (name: string, size: string, namespace: string, ...more: readonly string[]) =>
  kubectl(
    'patch',
    'pvc',
    name,
    ...['--namespace', namespace, '--patch', JSON.stringify({ spec: { resources: { requests: { storage: size } } } })],
    ...more,
  )

/** @throws {Failure} with what Kubernetes says */
async function refuseUnlessAllGrow(claims: readonly Claim[], size: string, namespace: string): Promise<void> {
  for (const { metadata, spec } of claims) {
    const { storage } = spec.resources.requests
    if (quantity(storage) > quantity(size))
      throw new Failure(`${metadata.name} has ${storage}: a volume cannot shrink to ${size}. Nothing was changed`)
    await patch(metadata.name, size, namespace, '--dry-run=server').catch((error: Failure) => {
      throw new Failure(
        `${metadata.name} has ${storage} and cannot grow to ${size}. Nothing was changed. A storage class that grows volumes has allowVolumeExpansion: true; without one, docs/kubernetes.md, Grow a volume, has the way by a new volume.\n${error.message}`,
      )
    })
  }
}

async function grow(name: string, size: string, namespace: string, { terminal, signal }: Steps): Promise<void> {
  let says = ''
  const hasGrown = async () => {
    const claim = JSON.parse(await kubectl('get', 'pvc', name, '--namespace', namespace, '--output', 'json')) as Claim
    const { capacity, conditions = [] } = claim.status
    says = conditions.map(({ type, message = '' }) => `${type} ${message}`.trim()).join('; ')
    if (says !== '') terminal.show(`  … ${name}: ${says}`)
    return quantity(capacity?.storage ?? '0') >= quantity(size)
  }
  const wait = async () => {
    await patch(name, size, namespace)
    await waitUntil(`${name} to have ${size}`, hasGrown, { timeoutMs: WITHIN_MS, everyMs: 1_000, signal }).catch(
      (error: Error) => {
        throw new Failure(`${error.message}${says === '' ? '' : `: ${says}`}. Run this again to go on`)
      },
    )
  }
  await terminal.during(`Growing ${name} to ${size}`, wait, () => `✓ ${name} has ${size}`)
}

/** Deletes a StatefulSet and leaves its pods, which the next one of that name takes over. */
async function letGo(statefulSet: string, size: string, namespace: string): Promise<void> {
  const where = [statefulSet, '--namespace', namespace, '--ignore-not-found']
  const made = '{.spec.volumeClaimTemplates[*].spec.resources.requests.storage}'
  const before = await kubectl('get', 'statefulset', ...where, '--output', `jsonpath=${made}`)
  if (before !== '' && quantity(before) !== quantity(size))
    await kubectl('delete', 'statefulset', ...where, '--cascade=orphan')
}
