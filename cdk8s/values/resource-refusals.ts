import type { Construct } from 'constructs'
import { greater, orElse, thousandths } from './compute.ts'
import { type Fields, isSection } from './define.ts'
import { Refusal } from './refusal.ts'
import { Value } from './value.ts'

/** Refuses requests above their limits, of every `resources` in a chart's values. */
export function refuseRequestsAboveLimits(scope: Construct, fields: Fields, path: readonly string[] = []): void {
  for (const [name, field] of Object.entries(fields)) {
    if (!isSection(field)) continue
    const here = [...path, name]
    if (!('requests' in field.fields && 'limits' in field.fields)) {
      refuseRequestsAboveLimits(scope, field.fields, here)
      continue
    }
    for (const amount of ['cpu', 'memory']) {
      const given = (kind: string) => new Value<string>({ path: ['Values', ...here, kind, amount], kind: 'data' })
      const [request, limit] = [given('requests'), given('limits')]
      new Refusal(
        scope,
        ['requests-above-limits', ...here, amount].join('-'),
        greater(thousandths(request), thousandths(orElse(limit, request))),
        `${here.join('.')}: requests.${amount} is ${request}, above limits.${amount}, ${limit}.`,
      )
    }
  }
}
