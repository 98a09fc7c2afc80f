import { ms, number, percent } from '@hopwhistle/platform/document/figures.ts'
import type { Facts } from '../facts.ts'
import type { FindingRule } from '../finding.ts'

/** The statement that Postgres spent most time on, with its mean. */
export const statements: FindingRule = {
  name: 'statements',
  say({ facts: { postgres } }) {
    if (postgres === undefined) return []
    const { replica } = postgres
    const all = postgres.statementMs + (replica?.statementMs ?? 0)
    return [
      ...(replica === undefined ? [] : costliest('the replica', replica, all)),
      ...costliest('the primary', postgres, all),
    ]
  },
}

const LEAST_SHARE = 0.2

type Server = Pick<NonNullable<Facts['postgres']>, 'statements' | 'statementMs'>

/** @param ofAll of both servers: one that does next to nothing is not worth a sentence */
function costliest(where: string, { statements, statementMs }: Server, ofAll: number): readonly string[] {
  const [first] = statements
  if (first === undefined || statementMs < LEAST_SHARE * ofAll || statementMs === 0) return []
  return [
    `On ${where}, ${percent(first.totalMs / statementMs)} of the statement time went to ` +
      `\`${shortened(first.query)}\`: ${number(first.calls)} calls, ${ms(first.meanMs)} on average, ${ms(first.maxMs)} at most.`,
  ]
}

const LENGTH = 72
const shortened = (query: string): string => {
  const plain = query
    .replaceAll('`', "'")
    .replace(/\s+/g, ' ')
    // A long list of parameters says nothing.
    .replace(/\(\$1(?:, ?(?:\$\d+|null))+(?:\)|,? ?[$\w]*…$)/, '(…)')
  return plain.length <= LENGTH ? plain : `${plain.slice(0, LENGTH).replace(/…$/, '').trimEnd()}…`
}
