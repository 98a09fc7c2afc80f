import { Failure } from '../../../platform/command-line/failure.ts'
import { parseOptions } from '../../../platform/command-line/parse-options.ts'
import { kubectl, requireCluster } from '../../../platform/kubernetes/kubectl.ts'
import { requirePrograms, tryTo } from '../../../platform/kubernetes/programs.ts'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { readDeploySettings } from '../settings.ts'
import type { ClusterCommand } from './cluster-command.ts'

/** A database of some size is copied meanwhile. */
const WITHIN_MS = 60 * 60_000

export const restorePrimary: ClusterCommand = {
  summary: 'give a primary that lost its volume what the replica has',
  help: `Usage: main.ts restore-primary

A primary whose volume is empty refuses to begin beside a replica that has data. This tells it to take over all that
the replica has, and waits until it is ready; then the replica is started again, copies the primary, and streams. What
was committed and had not reached the replica is gone. Names and URLs stay; reports are answered meanwhile. A primary
that has data is left alone. When this is stopped in the middle, the pods go on by themselves.

Environment:
  KUBECONFIG   which cluster: the current context of this file (~/.kube/config)
  NAMESPACE    hopwhistle
  RELEASE      hopwhistle
`,
  async run(args, { terminal, signal }) {
    parseOptions(args, {})
    const { namespace, release } = readDeploySettings(process.env)
    requirePrograms(['kubectl'])
    await requireCluster()
    const where = ['--namespace', namespace]
    const [primary, replica] = [`${release}-postgres-0`, `${release}-postgres-replica-0`]
    const inside = (pod: string, script: string) =>
      tryTo('kubectl', ['exec', ...where, pod, '--', 'sh', '-c', script], { signal })
    const wait = <T>(what: string, ask: () => Promise<T | undefined | false>) =>
      waitUntil(what, ask, { timeoutMs: WITHIN_MS, everyMs: 500, signal })

    const state = await inside(primary, '[ -s "$PGDATA/PG_VERSION" ] && echo data || echo empty')
    if (state === undefined)
      throw new Failure(`${primary} in namespace ${namespace} does not run: kubectl describe pod ${primary} says why`)
    if (state.trim() === 'data') throw new Failure(`${primary} has data: nothing is to be restored`)
    const has = (await inside(replica, LAST_OF_REPLICA))?.trim()
    if (has === undefined) throw new Failure(`${replica} does not answer: it must run, for its data is copied`)

    await terminal.during(
      'Copying what the replica has',
      async () => {
        await kubectl('exec', ...where, primary, '--', 'sh', '-c', 'touch "$PGDATA.copy-replica"')
        await wait('the primary to be ready', () => isReady(where, primary))
      },
      () => `✓ The primary has all that the replica had, up to ${has}`,
    )
    await terminal.during(
      'Building the replica anew',
      async () => {
        await kubectl('delete', 'pod', ...where, replica)
        await wait('the replica to stream', async () => (await inside(primary, STREAMS))?.trim() === '1')
        await wait('the replica to be ready', () => isReady(where, replica))
      },
      () => '✓ The replica streams from it',
    )
    return 'The platform has a primary and a replica.\n'
  },
}

const READY = '{.status.conditions[?(@.type=="Ready")].status}'
const isReady = async (where: readonly string[], pod: string) =>
  (await tryTo('kubectl', ['get', 'pod', ...where, pod, '--output', `jsonpath=${READY}`])) === 'True'

/** Run inside a pod, by its socket. */
const ask = (sql: string) => `psql -h /tmp -U postgres -d postgres -Atc "${sql}"`
const LAST_OF_REPLICA = ask('select pg_last_wal_replay_lsn()')
const STREAMS = ask("select count(*) from pg_stat_replication where state = 'streaming'")
