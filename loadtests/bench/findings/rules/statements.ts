import { ms, number, percent } from '../../judge/format.ts'
import type { Facts } from '../facts.ts'
import type { FindingRule } from '../finding.ts'

/** The statement that Postgres spent most time on, with its mean. */
export const statements: FindingRule = {
  name: 'statements',
  say({ facts: { postgres, scenario } }) {
    if (postgres === undefined) return []
    const replica = postgres.replica?.statements ?? []
    return scenario === 'reporting-endpoints'
      ? [...costliest('the replica', replica), ...costliest('the primary', postgres.statements)]
      : costliest('the primary', postgres.statements)
  },
}

type Statements = NonNullable<Facts['postgres']>['statements']

function costliest(where: string, list: Statements): readonly string[] {
  const [first] = list
  const total = list.reduce((sum, { totalMs }) => sum + totalMs, 0)
  if (first === undefined || total === 0) return []
  return [
    `On ${where}, \`${shortened(first.query)}\` took ${percent(first.totalMs / total)} of the time of the ` +
      `costliest ${number(list.length)} statements: ${number(first.calls)} calls, ${ms(first.meanMs)} on average, ` +
      `${ms(first.maxMs)} at most.`,
  ]
}

const LENGTH = 72
const shortened = (query: string): string => {
  const plain = query.replaceAll('`', "'").replace(/\s+/g, ' ')
  return plain.length <= LENGTH ? plain : `${plain.slice(0, LENGTH).replace(/…$/, '').trimEnd()}…`
}
