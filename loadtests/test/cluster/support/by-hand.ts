import { pinnedImages } from '@hopwhistle/platform/checkout/pinned-images.ts'
import { scriptConfigMap } from '../../../kubernetes/script-config-map.ts'
import { type TestRun, testRun } from '../../../kubernetes/test-run.ts'
import type { TestNamespace } from './operator.ts'

export type ByHand = {
  readonly parallelism?: number
  readonly starterImage?: string
  readonly overrides?: Readonly<Record<string, string>>
  readonly change?: (run: TestRun) => object
}

/** Applies a TestRun of call state updates as `kubectl apply` does. */
export async function applyByHand(
  { objects, namespace, apiUrl }: TestNamespace,
  name: string,
  { parallelism = 1, starterImage, overrides = {}, change = (run) => run }: ByHand,
): Promise<void> {
  const images = pinnedImages()
  const run = testRun({
    ...{ name, namespace, parallelism, apiUrl, overrides },
    scenario: 'call-state-updates',
    profile: 'smoke',
    configMap: name,
    runId: name,
    images: { ...images, starter: starterImage ?? images.starter },
    k6Version: '1.8.1',
  })
  await objects.create(scriptConfigMap('call-state-updates', name, namespace))
  await objects.create(change(run) as never)
}
