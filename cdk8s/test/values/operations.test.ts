import { k8s } from 'cdk8s-plus-27'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as compute from '../../values/compute.ts'
import { flag, integer, list, type Section, section, text, textMap, type ValuesOf } from '../../values/define.ts'
import { evaluate } from '../../values/evaluate.ts'
import { type HelmChart, synthesize } from '../../values/helm-chart.ts'
import { kubeObject } from '../../values/kube-object.ts'
import { OPERATIONS } from '../../values/operations.ts'
import { type Json, toExpression, Value } from '../../values/value.ts'
import { byName, chartFolder, helm, helmTemplate, NEEDS_HELM } from '../support/helm.ts'

const OPERANDS = {
  a: section('One of each', {
    number: integer(1, ''),
    flag: flag(true, ''),
    text: text('', ''),
    quantity: text('1', ''),
    release: text('r', ''),
    list: list<string>([], '', {}),
    map: textMap({}, ''),
  }),
  b: section('Another', {
    number: integer(2, ''),
    flag: flag(false, ''),
    text: text('', ''),
    list: list<string>([], '', {}),
    map: textMap({}, ''),
  }),
}

/** One entry for each operation. */
const everyOperation = ({ a, b }: ValuesOf<typeof OPERANDS>) => ({
  not: compute.not(a.flag),
  both: compute.both(a.flag, b.flag),
  either: compute.either(a.flag, b.flag),
  same: compute.same(a.text, b.text),
  sameNumber: compute.same(a.number, 7),
  greater: compute.greater(a.number, b.number),
  empty: compute.both(compute.empty(a.list), compute.empty(b.map)),
  sum: compute.sum(a.number, b.number, 3),
  product: compute.product(a.number, b.number),
  smaller: compute.smaller(a.number, b.number),
  amount: compute.amount(a.quantity),
  thousandths: compute.greater(compute.thousandths(a.quantity), compute.thousandths('1.5Gi')),
  larger: compute.larger(a.number, b.number),
  difference: compute.difference(a.number, b.number),
  quotient: compute.quotient(a.number, 7),
  choose: compute.choose(a.flag, a.text, 'b "quoted"'),
  replaced: compute.replaced(a.text, '([a1])|[{]', `<${'$'}{1}${b.text}>`),
  json: `${compute.json(a.text)}${compute.json(a.list)}${compute.json(b.map)}${compute.json(b.number)}`,
  sha256: compute.sha256(a.text),
  nameWithin: compute.nameWithin(a.release, 20),
  text: `${a.number} % ${a.text}${b.flag}`,
  orElse: compute.orElse(a.text, b.text),
  orElseList: compute.orElse(b.list, a.list),
  references: compute.references<object>(a.list as Value<readonly string[]>),
  appendedOnly: compute.appended(a.list, b.list),
  appended: compute.appended(a.list, ['x', `${b.text}`], b.list),
  merged: compute.merged({ x: a.text }, a.map, b.map),
})

/** Starting Helm takes longer than rendering a hundred objects, so a chart computes from many values at once. */
const AT_ONCE = 40
const cases = Array.from({ length: AT_ONCE }, (_, i) => `case${i}`)

const computing: HelmChart<Record<string, Section<typeof OPERANDS>>> = {
  name: 'operations',
  version: '1.0.0',
  appVersion: '1',
  description: '',
  title: '',
  values: Object.fromEntries(cases.map((name) => [name, section('', OPERANDS)])),
  build(chart, values) {
    for (const [name, operands] of Object.entries(values)) {
      const data = everyOperation(operands)
      kubeObject(chart, name, k8s.KubeConfigMap, { metadata: { name }, data: data as never })
    }
  },
}

const plainText = fc.string({
  unit: fc.constantFrom('a', '"', '%', '\\', '{{', '}}', '\n', ' ', 'é', '<', '&', '#', ': ', '-', '1'),
})
const some = fc.record({
  number: fc.integer({ min: -1e9, max: 1e9 }),
  flag: fc.boolean(),
  text: plainText,
  list: fc.array(plainText, { maxLength: 3 }),
  map: fc.dictionary(fc.constantFrom('x', 'y', 'z'), plainText),
})

const someQuantity = fc
  .record({
    whole: fc.integer({ min: 0, max: 4096 }),
    fraction: fc.constantFrom('', '.5', '.25', '.1', '.29', '.005'),
    unit: fc.constantFrom('', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'Ti'),
  })
  .map(({ whole, fraction, unit }) => `${whole}${fraction}${unit}`)

/** As Helm allows them. */
const someRelease = fc.stringMatching(/^[a-z0-9]([-.a-z0-9]{0,40}[a-z0-9])?$/)

const someOperands = fc
  .tuple(some, some, someQuantity, someRelease)
  .map(([a, b, quantity, release]): Json => ({ a: { ...a, quantity, release }, b }))

/** A number of bytes with a fraction that a 64-bit float cannot hold: Helm rounds up before it drops the fraction. */
const A_BYTE_APART: Json = { a: { quantity: '1024.005Ti' } }

test.skipIf(helm === undefined)(
  `Helm computes from any values what the plain synthesis computes${NEEDS_HELM}`,
  async () => {
    const folder = chartFolder(computing)
    await fc.assert(
      fc.asyncProperty(fc.array(someOperands, { minLength: 1, maxLength: AT_ONCE, size: 'max' }), async (given) => {
        const values = Object.fromEntries(given.map((operands, i) => [`case${i}`, operands]))
        const rendered = await helmTemplate(folder, 'mine', values)
        expect(byName(rendered)).toEqual(byName(synthesize(computing, { name: 'mine', values })))
      }),
      // Ends before the test's own timeout, which would lose the counterexample found so far.
      { numRuns: 10, examples: [[[A_BYTE_APART]]], interruptAfterTimeLimit: 45_000 },
    )
  },
  60_000,
)

test('every operation is tried', () => {
  const [computed] = synthesize(computing)
  // These have their own tests, or are part of another operation here.
  const elsewhere = ['claimed', 'file', 'list', 'map', 'parsed']
  expect([...Object.keys(computed?.data as object), ...elsewhere]).toEqual(
    expect.arrayContaining(Object.keys(OPERATIONS)),
  )
})

test('a list inside a text is refused, for Go and JavaScript write it differently', () => {
  const text = `these: ${new Value<readonly string[]>({ known: ['a', 'b'] })}`
  expect(() => evaluate(toExpression(text), {})).toThrow('a list or map cannot be part of a text')
})
