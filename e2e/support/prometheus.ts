import type { Platform } from './platform.ts'

export type Prometheus = ReturnType<typeof prometheusOf>

/** What the Prometheus of charts/hopwhistle-monitoring knows of the platform, and what its Alertmanager was told. */
export function prometheusOf({ cluster, namespace, release, wait }: Platform) {
  const ask = async (service: string, path: string): Promise<unknown> => {
    const proxy = `/api/v1/namespaces/${namespace}/services/${release}-monitoring-${service}/proxy`
    const { status, body } = await cluster.ask('GET', `${proxy}${path}`)
    if (status !== 200) throw new Error(`${service} answered ${status}: ${body}`)
    return JSON.parse(body)
  }

  /** @returns the values of a query, by the labels given */
  async function query(promql: string, ...labels: readonly string[]): Promise<Readonly<Record<string, number>>> {
    const { data } = (await ask('prometheus:9090', `/api/v1/query?query=${encodeURIComponent(promql)}`)) as {
      data: { result: { metric: Record<string, string>; value: [number, string] }[] }
    }
    return Object.fromEntries(
      data.result.map(({ metric, value }) => [nameOf(labels.map((label) => metric[label])), Number(value[1])]),
    )
  }
  /** What fired at any time of the last seconds, whole ones, so that nothing from before is in it: `LimitNear redis_memory`. */
  const fired = async (seconds: number): Promise<readonly string[]> => {
    const all = await query(
      `count by (alertname, resource) (last_over_time(ALERTS{alertstate="firing"}[${Math.floor(seconds)}s]))`,
      'alertname',
      'resource',
    )
    return Object.keys(all)
      .map((name) => name.replace('Hopwhistle', ''))
      .sort()
  }

  return {
    query,
    /** Names of what Alertmanager was told and has not heard the end of. */
    told: async (): Promise<readonly string[]> => {
      const alerts = (await ask('alertmanager:9093', '/api/v2/alerts?active=true')) as {
        labels: { alertname: string }
      }[]
      return [...new Set(alerts.map(({ labels }) => labels.alertname.replace('Hopwhistle', '')))].sort()
    },
    /** Resolves when nothing fires, and nothing is about to. */
    isQuiet: () =>
      wait('every alert to clear', async () => {
        const all = Object.keys(await query('ALERTS', 'alertname', 'alertstate', 'resource', 'slo', 'instance'))
        if (all.length > 0) throw new Error(`there are ${all.join(', ')}`)
        return true
      }),
    /** Resolves when these fire, whatever else does. */
    firing: (expected: readonly string[]) =>
      wait(`${expected.join(', ')} to fire`, async () => {
        const all = await fired(5)
        if (expected.every((name) => all.includes(name))) return true
        throw new Error(`firing are ${all.join(', ') || 'none'}`)
      }),
    fired,
  }
}

const nameOf = (labels: readonly (string | undefined)[]) => labels.filter((label) => label).join(' ')
