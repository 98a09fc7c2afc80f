/** The three kinds of pods of a run, as the values of the load tests' chart say. */
import { DEMO_API_KEY } from '@hopwhistle/contract/demo.ts'
import type { Part } from '../../loadtests/kubernetes/test-run.ts'
import type { LoadtestsValues } from '../chart-values/loadtests-values.ts'
import { empty } from '../values/compute.ts'
import { when } from '../values/when.ts'
import { type Pod, pod } from './pod.ts'

export function podOf(values: LoadtestsValues, part: Part, labels: Readonly<Record<string, string>>): Pod {
  const { initializerPod, starterPod, runnerPod, runnerNodes } = values
  if (part === 'runner') return pod(values, runnerPod, { labels, ...runnerNodes })
  return pod(values, part === 'starter' ? starterPod : initializerPod, { labels })
}

export const apiKeyVariable = ({ apiKey: { existingSecret } }: LoadtestsValues) =>
  when(
    empty(existingSecret),
    { name: 'API_KEY', value: DEMO_API_KEY },
    { name: 'API_KEY', valueFrom: { secretKeyRef: { name: existingSecret, key: 'key' } } },
  )
