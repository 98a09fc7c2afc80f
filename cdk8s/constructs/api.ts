import { NODE_FLAGS } from '@hopwhistle/contract/node-flags.ts'
import { DEFAULT_PORT, ROUTES } from '@hopwhistle/contract/routes.ts'
import { HEALTH_CHECK } from '@hopwhistle/platform/settings/load-balancer.ts'
import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import type { HopwhistleValues } from '../chart-values/hopwhistle-values.ts'
import { greater, not } from '../values/compute.ts'
import { kubeObject } from '../values/kube-object.ts'
import { each, when } from '../values/when.ts'
import { authorities } from './authorities.ts'
import { component } from './component.ts'
import type { connections } from './connections.ts'
import { given } from './given.ts'
import { refuseNodePort } from './node-port.ts'
import { imageOf, pod } from './pod.ts'
import { API_USER, RESTRICTED_CONTAINER, restrictedPod, scratch } from './restricted.ts'
import { waitForSchema } from './wait-for-schema.ts'

export const API = component('api', 'service')
export const API_PORT = DEFAULT_PORT
export const ADMIN_PORT = DEFAULT_PORT + 1

/** The API's pods, and the Service that leads to them. */
export class Api extends Construct {
  constructor(scope: Construct, values: HopwhistleValues, environment: ReturnType<typeof connections>) {
    super(scope, 'api')
    const { api } = values
    const { name, selector, labels } = API
    const temporary = scratch('tmp', '/tmp', '64Mi')
    const trusted = authorities(values)
    const admin = (path: string) => ({ httpGet: { path, port: 'admin' }, timeoutSeconds: HEALTH_CHECK.timeoutSeconds })
    const readinessProbe = {
      ...admin(HEALTH_CHECK.path),
      periodSeconds: HEALTH_CHECK.everySeconds,
      failureThreshold: HEALTH_CHECK.failures,
      successThreshold: HEALTH_CHECK.successes,
    }

    const own = pod(values, api.pod, {
      labels,
      annotations: {
        'prometheus.io/scrape': 'true',
        'prometheus.io/port': `${ADMIN_PORT}`,
        'prometheus.io/path': ROUTES.metrics,
      },
      nodeSelector: api.nodeSelector,
      tolerations: api.tolerations,
      topologySpreadConstraints: ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
        topologyKey,
        maxSkew: 1,
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: selector },
        matchLabelKeys: ['pod-template-hash'],
      })),
    })

    const { service } = api
    refuseNodePort(
      this,
      { path: 'api.service.type', value: service.type },
      { path: 'api.service.nodePort', value: service.nodePort },
    )
    kubeObject(this, 'service', k8s.KubeService, {
      metadata: { name, labels, annotations: when(given(service.annotations), service.annotations) },
      spec: {
        type: service.type,
        selector,
        ports: [
          {
            name: 'http',
            port: API_PORT,
            targetPort: 'http',
            nodePort: when(greater(service.nodePort, 0), service.nodePort),
          },
        ],
      },
    })

    kubeObject(this, 'deployment', k8s.KubeDeployment, {
      metadata: { name, labels },
      spec: {
        // An autoscaler decides it otherwise, and no upgrade may decide against it.
        replicas: when(not(api.autoscaling.enabled), api.replicas),
        selector: { matchLabels: selector },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: api.surge } },
        template: {
          metadata: {
            labels: own.labels,
            annotations: own.annotations,
          },
          spec: {
            ...restrictedPod(API_USER),
            ...own.spec,
            terminationGracePeriodSeconds: api.graceSeconds,
            initContainers: [waitForSchema(values, environment.writer, own)],
            containers: [
              {
                ...RESTRICTED_CONTAINER,
                name: 'api',
                image: imageOf(values, api.image),
                imagePullPolicy: values.imagePullPolicy,
                // Not its `command`: the image's own entrypoint forbids core dumps.
                args: ['node', ...NODE_FLAGS, 'api/src/main.ts'],
                env: [
                  { name: 'PORT', value: `${API_PORT}` },
                  { name: 'ADMIN_PORT', value: `${ADMIN_PORT}` },
                  ...environment.writer,
                  environment.reader,
                  ...environment.redis,
                  ...environment.settings,
                  each(own.container.env),
                ],
                envFrom: own.container.envFrom,
                ports: [
                  { name: 'http', containerPort: API_PORT },
                  { name: 'admin', containerPort: ADMIN_PORT },
                ],
                resources: api.resources,
                startupProbe: { ...admin(ROUTES.livez), periodSeconds: 1, failureThreshold: 60 },
                readinessProbe,
                livenessProbe: { ...admin(ROUTES.livez), periodSeconds: 10, failureThreshold: 6 },
                // By then the endpoints have forgotten the pod; what comes still is served while it drains.
                lifecycle: { preStop: { exec: { command: ['sleep', `${api.preStopSeconds}`] } } },
                volumeMounts: [temporary.mount, ...trusted.mounts],
              },
            ],
            volumes: [temporary.volume, ...trusted.volumes],
          },
        },
      },
    })
  }
}
