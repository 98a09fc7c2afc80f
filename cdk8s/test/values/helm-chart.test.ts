import { describe, expect, test } from 'vitest'
import { synthesize } from '../../values/helm-chart.ts'
import type { Json } from '../../values/value.ts'
import { byName, chartFolder, helm, helmTemplate, NEEDS_HELM } from '../support/helm.ts'
import { example } from './example-chart.ts'

type Given = { readonly [name: string]: Json }

describe.skipIf(helm === undefined)(`a chart rendered by Helm${NEEDS_HELM}`, () => {
  const given: readonly [string, Given][] = [
    ['its defaults', {}],
    ['every switch the other way', { expose: false, debug: true }],
    ['a condition inside a condition', { debug: true, replicas: 3 }],
    ['lists and maps', { labels: { team: 'a "b"', more: 'on' }, tolerations: [{ key: 'a', operator: 'Exists' }] }],
    ['text that YAML would take for something else', { image: "it's: {{ x }} #1\n- yes", level: 'debug' }],
    ['part of a section', { resources: { limits: { memory: '1Gi' } } }],
    ['large numbers', { bytes: 9_007_199_254_740_991 }],
  ]

  test.each(given)('is object by object what is synthesized plainly, with %s', async (_, values) => {
    const rendered = await helmTemplate(chartFolder(example), 'mine', values)
    const plain = synthesize(example, { name: 'mine', namespace: 'here', values })
    expect(byName(rendered)).toEqual(byName(plain))
  })

  test('is refused with the message of the plain synthesis', async () => {
    const refused = '11 replicas × 10 is more than 100 %'
    expect(() => synthesize(example, { values: { replicas: 11 } })).toThrow(refused)
    await expect(helmTemplate(chartFolder(example), 'mine', { replicas: 11 })).rejects.toThrow(refused)
  })

  const mistyped: readonly [string, Given, RegExp][] = [
    ['text for a number', { replicas: 'three' }, /at '\/replicas': got string, want integer/],
    ['a number out of its bounds', { replicas: 0 }, /at '\/replicas': minimum: got 0, want 1/],
    ['a fraction', { replicas: 1.5 }, /at '\/replicas': got number, want integer/],
    ['text for a switch', { expose: 'yes' }, /at '\/expose': got string, want boolean/],
    ['none of the options', { level: 'loud' }, /at '\/level': value must be one of 'info', 'debug'/],
    ['a name that does not exist', { replica: 1 }, /additional properties 'replica' not allowed/],
    ['a number for a label', { labels: { team: 1 } }, /at '\/labels\/team': got number, want string/],
    ['no amount of memory', { resources: { limits: { memory: 'lots' } } }, /at '\/resources\/limits\/memory': 'lots'/],
    ['null', { replicas: null }, /missing property 'replicas'/],
  ]

  test.each(mistyped)('says what is wrong with %s', async (_, values, message) => {
    await expect(helmTemplate(chartFolder(example), 'mine', values)).rejects.toThrow(message)
  })
})

test('the plain synthesis has what was asked for, and no trace of what it comes from', () => {
  const manifests = synthesize(example, { name: 'mine', values: { debug: true, labels: { team: 'ours' } } })
  expect(manifests.map(({ kind, metadata }) => [kind, metadata])).toMatchObject([
    ['Deployment', { name: 'mine-app', labels: { team: 'ours' }, annotations: { legend: '{{pod}} {{`x`}}' } }],
    ['Service', { name: 'mine-app' }],
    ['Service', { name: 'mine-app-debug' }],
    ['ConfigMap', { name: 'mine-app' }],
  ])
  expect(JSON.stringify(manifests)).not.toMatch(/[\uE000-\uF8FF]|expression/)
})
