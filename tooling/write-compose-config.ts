/**
 * `npm run compose:config`: writes the configuration files that compose.yaml mounts, from platform/settings. The sizes
 * of Postgres and Redis follow from `mem_limit` in compose.yaml: run it again after changing that.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import type { SCRAPE_JOBS } from '@hopwhistle/contract/metrics.ts'
import { DEFAULT_PORT } from '@hopwhistle/contract/routes.ts'
import { NUMBERS } from '@hopwhistle/platform/settings/arithmetic.ts'
import { haproxyConfig } from '@hopwhistle/platform/settings/load-balancer.ts'
import { postgresConf, postgresSettings } from '@hopwhistle/platform/settings/postgres.ts'
import { redisConf, redisSettings } from '@hopwhistle/platform/settings/redis.ts'
import { EXPORTER_PORTS, prometheusConfig, SCRAPE_SECONDS } from '@hopwhistle/platform/settings/scrapes.ts'
import { parse, stringify } from 'yaml'

const checkout = (path: string) => new URL(`../${path}`, import.meta.url)
const HEAD = '# Written by `npm run compose:config` from platform/settings, where the reasons are; do not edit.\n'
const HAPROXY_METRICS_PORT = 8405
const UNITS: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

const { services } = parse(readFileSync(checkout('compose.yaml'), 'utf8'), { merge: true }) as {
  services: Readonly<Record<string, { mem_limit?: string }>>
}

const files: Readonly<Record<string, string>> = {
  'postgres.conf': `${HEAD}# For ${services.primary?.mem_limit} of memory: mem_limit in compose.yaml.\n${postgresConf({
    listen_addresses: '*',
    ...postgresSettings({ memoryBytes: memoryOf('primary') }, NUMBERS),
  })}`,
  'redis.conf': `${HEAD}# For ${services.redis?.mem_limit} of memory: mem_limit in compose.yaml.\n${redisConf(
    redisSettings({ memoryBytes: memoryOf('redis') }, NUMBERS),
  )}`,
  'haproxy.cfg': `${HEAD}\n${haproxyConfig({ apiName: 'api', metricsPort: HAPROXY_METRICS_PORT })}`,
  'prometheus.yml': `${HEAD}${stringify(scrapes())}`,
}
for (const [file, text] of Object.entries(files)) writeFileSync(checkout(`compose/${file}`), text)
process.stderr.write(`compose:config: wrote ${Object.keys(files).join(', ')} in compose/\n`)

/** Bytes that a service may use. @throws for one without a limit */
function memoryOf(service: string): number {
  const given = services[service]?.mem_limit
  const [, number, unit = ''] = /^(\d+)([kmg])b?$/.exec(given ?? '') ?? []
  if (number === undefined) throw new Error(`compose.yaml: mem_limit of ${service} is ${given}; expected one like 2g`)
  return Number(number) * (UNITS[unit] ?? Number.NaN)
}

/** Every API instance is scraped by its own admin port: Docker's DNS has them all under one name. */
function scrapes(): object {
  const labels = [
    { target_label: 'namespace', replacement: 'compose' },
    { target_label: 'release', replacement: 'hopwhistle' },
  ]
  const exporter = (service: string, port: number, more = {}) => ({ targets: [`${service}:${port}`], ...more })
  const targets: Readonly<Record<keyof typeof SCRAPE_JOBS, object>> = {
    api: {
      dns_sd_configs: [{ names: ['api'], type: 'A', port: DEFAULT_PORT + 1, refresh_interval: `${SCRAPE_SECONDS}s` }],
    },
    postgres: {
      static_configs: ['primary', 'replica'].map((server) =>
        exporter(`${server}-exporter`, EXPORTER_PORTS.postgres, { labels: { server } }),
      ),
    },
    redis: { static_configs: [exporter('redis-exporter', EXPORTER_PORTS.redis)] },
  }
  const labelled = (job: keyof typeof SCRAPE_JOBS) => ({ ...targets[job], relabel_configs: labels })
  return prometheusConfig(
    {
      everySeconds: SCRAPE_SECONDS,
      ruleFiles: ['rules/recording.yaml', 'rules/alerts.yaml'],
      targets: { api: labelled('api'), postgres: labelled('postgres'), redis: labelled('redis') },
      moreJobs: [{ job_name: 'haproxy', static_configs: [exporter('balancer', HAPROXY_METRICS_PORT)] }],
    },
    NUMBERS,
  )
}
