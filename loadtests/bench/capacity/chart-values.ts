import type { Answer } from './answer.ts'
import { loadText } from './answer.ts'

/** Of its request a part may use so much on average: the rest is for peaks. */
const AIM = 0.7
/** Limits of the chart; a part that needs more gets more. */
const POSTGRES_LIMIT = 4

/** The values of charts/hopwhistle that an answer comes to, as YAML. Everything else is as the chart has it. */
export function chartValues({
  load,
  pods,
  podCores,
  pool,
  maxConnections,
  cpu,
  liveTickMs,
  extrapolated,
}: Answer): string {
  const cores = (value: number) => `${Math.max(100, 50 * Math.ceil((1000 * value) / 50))}m`
  const request = (part: 'primary' | 'replica' | 'redis') => cores(cpu[part].interval[1] / AIM)
  const limit = (part: 'primary' | 'replica') => Math.max(POSTGRES_LIMIT, Math.ceil((2 * cpu[part].interval[1]) / AIM))
  return `# For ${loadText(load)}, with room for one pod lost. Written by \`bench capacity\`.
${extrapolated.map((text) => `# Extrapolated: ${text}.\n`).join('')}api:
  replicas: ${pods}
  resources:
    requests:
      cpu: ${cores(podCores)}
    limits:
      # One core for JavaScript, the other for its garbage collector
      cpu: "${Math.max(2, Math.ceil(podCores))}"
  settings:
    postgresPool: ${pool}
    # As measured: frames cost more than what is in them
    liveTickMs: ${liveTickMs}
postgres:
  maxConnections: ${maxConnections}
  resources:
    requests:
      cpu: ${request('primary')}
    limits:
      cpu: "${limit('primary')}"
  replica:
    resources:
      requests:
        cpu: ${request('replica')}
      limits:
        cpu: "${limit('replica')}"
redis:
  resources:
    requests:
      cpu: ${request('redis')}
`
}
