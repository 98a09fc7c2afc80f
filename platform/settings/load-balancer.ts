/**
 * How a load balancer treats the API instances, defined once. In Docker it is HAProxy, configured from here. In
 * Kubernetes it is a Service, and the pods' readiness probe is the health check. The local stack has none: its instances
 * share a port and the kernel spreads connections over them.
 */
import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { DEFAULT_PORT, ROUTES } from '@hopwhistle/contract/routes.ts'

/**
 * A stopping instance answers 503 here and serves requests for SHUTDOWN_DRAIN_MS (5 s) more, so two checks a second
 * apart notice it in time. A busy instance has 5 s to answer: removing it would overload the others.
 */
export const HEALTH_CHECK = {
  path: ROUTES.readyz,
  everySeconds: 1,
  timeoutSeconds: 5,
  failures: 2,
  successes: 1,
} as const

/** Seconds, named as HAProxy names them. */
export const TIMEOUT_SECONDS = {
  connect: 2,
  'http-request': 10,
  // Less than the API's own 75 s, so that the API never closes a connection with a request in flight.
  'http-keep-alive': 60,
  // Longer than REQUEST_TIMEOUT_MS, so that the client gets the API's own answer.
  client: LIMITS.request_timeout.value / 1000 + 5,
  server: LIMITS.request_timeout.value / 1000 + 5,
  queue: 5,
  check: HEALTH_CHECK.timeoutSeconds,
  // A WebSocket on which neither side sends.
  tunnel: 3600,
  'client-fin': 10,
} as const

/** The largest N of `docker compose up --scale api=N`. */
export const MOST_INSTANCES = 8
/**
 * As many as the instances accept together. Past their limits they answer 503 with Retry-After; past this one HAProxy
 * lets connections wait.
 */
export const MOST_CONNECTIONS = MOST_INSTANCES * (LIMITS.websockets.value + LIMITS.requests_in_flight.value)

/** HAProxy in front of instances that Docker's DNS knows by one name; its metrics at `metricsPort`. */
export function haproxyConfig({ apiName, metricsPort }: { apiName: string; metricsPort: number }): string {
  const { path, everySeconds, failures, successes } = HEALTH_CHECK
  const timeouts = Object.entries(TIMEOUT_SECONDS).map(([name, seconds]) => `  timeout ${name} ${seconds}s\n`)
  return `\
global
  log stdout format raw local0 notice
  maxconn ${MOST_CONNECTIONS}

defaults
  mode http
  log global
  option dontlognull
  option forwardfor
${timeouts.join('')}
resolvers docker
  nameserver dns 127.0.0.11:53
  resolve_retries 3
  timeout resolve 1s
  timeout retry 1s
  hold valid 2s
  hold obsolete 10s

frontend api
  bind :${DEFAULT_PORT}
  default_backend instances

backend instances
  # A WebSocket lasts: the next one goes where the fewest are.
  balance leastconn
  option httpchk
  http-check send meth GET uri ${path}
  http-check expect status 200
  default-server inter ${everySeconds}s fall ${failures} rise ${successes}
  # Sending a request again, to another instance, is safe for POST too: the same event id is stored once. A request of
  # more than 16 KB, which HAProxy does not keep, is not sent again. Nor is one that was answered 503: the instance is
  # full and says in Retry-After when to come back.
  retries 2
  retry-on conn-failure empty-response
  option redispatch 1
  server-template api- 1-${MOST_INSTANCES} ${apiName}:${DEFAULT_PORT} check resolvers docker init-addr libc,none

frontend metrics
  bind :${metricsPort}
  http-request use-service prometheus-exporter if { path /metrics }
  http-request return status 404
`
}
