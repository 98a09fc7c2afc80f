import { maxMemoryBytes, redisArguments, redisSettings } from '@hopwhistle/platform/settings/redis.ts'
import { Construct } from 'constructs'
import type { HopwhistleValues } from '../chart-values/hopwhistle-values.ts'
import * as compute from '../values/compute.ts'
import type { Value } from '../values/value.ts'
import { component } from './component.ts'
import type { Credentials } from './credentials.ts'
import { imageOf } from './pod.ts'
import { scratch } from './restricted.ts'
import { Scripts } from './scripts.ts'
import { SinglePod } from './single-pod.ts'

export const REDIS = component('redis', 'statefulSet')
export const REDIS_PORT = 6379

const memoryBytes = ({ redis }: HopwhistleValues): Value<number> => compute.amount(redis.resources.limits.memory)

/** `maxmemory` of the Redis that the API talks to, ours or another. */
export function redisMaxMemoryBytes(values: HopwhistleValues): Value<number> {
  const { external } = values.redis
  return compute.choose(external.enabled, external.maxMemoryBytes, maxMemoryBytes(memoryBytes(values), compute))
}

/** One Redis without a disk: what it holds can be made again, and live clients are told when they missed something. */
export class Redis extends Construct {
  constructor(scope: Construct, values: HopwhistleValues, credentials: Credentials) {
    super(scope, 'redis')
    const { redis } = values
    const scripts = new Scripts(this, REDIS, ['start-redis.sh'])
    const temporary = scratch('tmp', '/tmp', '1Mi', 'Memory')
    const ping = { exec: { command: ['redis-cli', '-e', 'ping'] }, periodSeconds: 5, timeoutSeconds: 5 }

    new SinglePod(this, 'pod', {
      component: REDIS,
      values,
      user: redis.user,
      port: REDIS_PORT,
      portName: 'redis',
      ofKind: redis.pod,
      annotations: { 'checksum/scripts': scripts.checksum },
      container: {
        name: 'redis',
        image: imageOf(values, redis.image),
        command: ['sh', '/scripts/start-redis.sh'],
        args: redisArguments({
          ...redisSettings({ memoryBytes: memoryBytes(values), maxClients: redis.maxClients }, compute),
          dir: '/tmp',
        }),
        env: [
          credentials.variable('REDIS_PASSWORD', 'redis-password'),
          credentials.variable('REDISCLI_AUTH', 'redis-password'),
        ],
        resources: redis.resources,
        startupProbe: { ...ping, periodSeconds: 1, failureThreshold: 60 },
        readinessProbe: ping,
        livenessProbe: { ...ping, failureThreshold: 6 },
        volumeMounts: [scripts.mount, temporary.mount],
      },
      volumes: [scripts.volume, temporary.volume],
    })
  }
}
