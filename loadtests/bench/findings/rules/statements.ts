import { ms, number, percent } from '../../judge/format.ts'
import type { Facts } from '../facts.ts'
import type { FindingRule } from '../finding.ts'

/** The statement that Postgres spent most time on, with its mean. */
export const statements: FindingRule = {
  name: 'statements',
  say({ facts: { postgres, scenario } }) {
    if (postgres === undefined) return []
    const primary = costliest('the primary', postgres)
    if (scenario !== 'reporting-endpoints' || postgres.replica === undefined) return primary
    return [...costliest('the replica', postgres.replica), ...primary]
  },
}

type Server = Pick<NonNullable<Facts['postgres']>, 'statements' | 'statementMs'>

function costliest(where: string, { statements, statementMs }: Server): readonly string[] {
  const [first] = statements
  if (first === undefined || statementMs === 0) return []
  return [
    `Of the time of all statements on ${where}, ${percent(first.totalMs / statementMs)} went to ` +
      `\`${shortened(first.query)}\`: ${number(first.calls)} calls, ${ms(first.meanMs)} on average, ${ms(first.maxMs)} at most.`,
  ]
}

const LENGTH = 72
const shortened = (query: string): string => {
  const plain = query.replaceAll('`', "'").replace(/\s+/g, ' ')
  return plain.length <= LENGTH ? plain : `${plain.slice(0, LENGTH).replace(/…$/, '').trimEnd()}…`
}
