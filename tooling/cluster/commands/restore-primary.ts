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
  summary: 'copy the replica to a primary that lost its volume',
  help: `Usage: main.ts restore-primary

A primary with an empty volume does not start while the replica has data. This command tells it to copy all data of the
replica, and waits until it is ready. Then it restarts the replica, which copies the primary and streams from it.
Commits that had not reached the replica are lost. Names and URLs stay the same, and reports are answered meanwhile. A
primary that has data is not changed. If you stop the command, the pods continue by themselves.

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
      'Building the replica again',
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
