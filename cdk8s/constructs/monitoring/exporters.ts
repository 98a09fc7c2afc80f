import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import type { MonitoringValues } from '../../chart-values/monitoring-values.ts'
import { fileContent, sha256 } from '../../values/compute.ts'
import { kubeObject } from '../../values/kube-object.ts'
import type { Value } from '../../values/value.ts'
import { Conditional } from '../../values/when.ts'
import { imageOf } from '../pod.ts'
import { SinglePod } from '../single-pod.ts'
import { credentialsIn, PORTS, postgresExporter, REDIS_EXPORTER, serverAt } from './names.ts'

/** The file of dashboards/exporters with the queries that boards and alerts need in addition to the exporter's own. */
export const QUERIES = 'files/postgres-queries.yaml'
const NOBODY = 65534
const CONNECT_SECONDS = 1

/** Reads the statistics of Postgres and Redis for Prometheus. */
export class Exporters extends Construct {
  constructor(scope: Construct, values: MonitoringValues) {
    super(scope, 'exporters')
    const { postgres, redis } = values
    const withPostgres = new Conditional(this, 'postgres', postgres.enabled)
    const { name, labels } = postgresExporter('queries')
    kubeObject(withPostgres, 'queries', k8s.KubeConfigMap, {
      metadata: { name, labels },
      data: { 'queries.yaml': fileContent(QUERIES) },
    })
    this.#postgres(withPostgres, 'primary', values, serverAt(values, postgres.primary, 'postgres', 5432))
    const replicated = new Conditional(withPostgres, 'replicated', postgres.replica.enabled)
    const replica = serverAt(values, postgres.replica.address, 'postgres-replica', 5432)
    this.#postgres(replicated, 'replica', values, replica)

    new SinglePod(new Conditional(this, 'with-redis', redis.enabled), 'redis', {
      component: REDIS_EXPORTER,
      values,
      ofKind: redis.pod,
      user: 59000,
      port: PORTS.redisExporter,
      container: {
        image: imageOf(values, redis.image),
        env: [
          { name: 'REDIS_ADDR', value: `redis://${serverAt(values, redis.address, 'redis', 6379)}` },
          secret('REDIS_PASSWORD', credentialsIn(values, redis.existingSecret), 'redis-password'),
        ],
        resources: redis.resources,
        readinessProbe: { httpGet: { path: '/health', port: 'http' } },
      },
    })
  }

  #postgres(scope: Construct, server: string, values: MonitoringValues, address: Value<string>): void {
    const { postgres } = values
    new SinglePod(scope, server, {
      component: postgresExporter(server),
      values,
      ofKind: postgres.pod,
      user: NOBODY,
      port: PORTS.postgresExporter,
      annotations: { 'checksum/queries': sha256(fileContent(QUERIES)) },
      container: {
        image: imageOf(values, postgres.image),
        args: ['--extend.query-path=/queries/queries.yaml'],
        env: [
          // Scrapes wait for one another: to a server that is gone they would take as long as TCP does.
          {
            name: 'DATA_SOURCE_URI',
            value: `${address}/hopwhistle?sslmode=${postgres.sslmode}&connect_timeout=${CONNECT_SECONDS}`,
          },
          { name: 'DATA_SOURCE_USER', value: 'hopwhistle_monitor' },
          secret('DATA_SOURCE_PASS', credentialsIn(values, postgres.existingSecret), 'monitor-password'),
        ],
        resources: postgres.resources,
        readinessProbe: { httpGet: { path: '/', port: 'http' } },
        // Of a server whose node is lost it waits for an answer as long as TCP does; a new one says that it is down.
        livenessProbe: { httpGet: { path: '/metrics', port: 'http' }, periodSeconds: 20, timeoutSeconds: 10 },
        volumeMounts: [{ name: 'queries', mountPath: '/queries', readOnly: true }],
      },
      volumes: [{ name: 'queries', configMap: { name: postgresExporter('queries').name } }],
    })
  }
}

export function secret(name: string, of: Value<string>, key: string) {
  return { name, valueFrom: { secretKeyRef: { name: of, key } } }
}
