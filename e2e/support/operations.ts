import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { lookForHelm } from '@hopwhistle/platform/tools/find-helm.ts'
import { deployEnvironment } from './deploy.ts'

const run = promisify(execFile)

/** What an operator types. Each rejects with what was said when it fails. */
export function operations(namespace: string, release: string) {
  const make = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    run('node', ['tooling/cluster/main.ts', ...args], { env: { ...deployEnvironment(namespace), ...env } })
  const helm = (...args: readonly string[]) => run(lookForHelm() ?? 'helm', [...args, '--namespace', namespace])
  return {
    /** `make deploy`, with one more values file if given, of this release or of another one. */
    deploy: (values?: string, other = release) => {
      const before = deployEnvironment(namespace).VALUES
      const beside = other === release ? {} : { RELEASE: other, MONITORING: 'skip' }
      return make(['deploy'], { ...beside, ...(values === undefined ? {} : { VALUES: `${before},${values}` }) })
    },
    uninstall: (other: string) => helm('uninstall', other, '--wait'),
    /** `make scale REPLICAS=…` */
    scale: (replicas: number) => make(['scale', '--replicas', String(replicas)]),
    /** `make grow-volume VOLUME=… SIZE=…` */
    growVolume: (volume: string, size: string) =>
      make(['grow-volume', '--volume', volume, '--size', size], { RELEASE: release }),
    /** `make restore-primary` */
    restorePrimary: () => make(['restore-primary']),
    /** Sets values of the release and leaves the others, without waiting. */
    set: (values: Readonly<Record<string, string | number | boolean>>) => {
      const given = Object.entries(values).flatMap(([path, value]) => ['--set', `${path}=${value}`])
      return helm('upgrade', release, 'charts/hopwhistle', '--reuse-values', ...given)
    },
    /** Evicts the API's pods from nodes as the budget for disruptions allows, and lets the nodes have pods again. */
    drainOfApi: async (nodes: readonly string[]) => {
      const selector = `app.kubernetes.io/component=api,app.kubernetes.io/instance=${release}`
      try {
        await run('kubectl', [
          'drain',
          ...nodes,
          '--pod-selector',
          selector,
          '--delete-emptydir-data',
          '--timeout',
          '5m',
        ])
      } finally {
        await run('kubectl', ['uncordon', ...nodes])
      }
    },
    /** A base backup now, and waits until it has ended. */
    backUp: async () => {
      const name = `${release}-postgres-backup`
      const where = ['--namespace', namespace]
      await run('kubectl', ['create', 'job', `${name}-now`, `--from=cronjob/${name}`, ...where])
      await run('kubectl', ['wait', '--for=condition=complete', `job/${name}-now`, '--timeout=2m', ...where])
    },
    /** The revision before, and waits until it is ready. */
    rollback: () => helm('rollback', release, '--wait', '--timeout', '5m'),
  }
}
