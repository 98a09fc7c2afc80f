import { isDeepStrictEqual } from 'node:util'
import { invalid, type Rule } from '../../evidence/evidence.ts'

/** All runners ran the same test: only then do their counts add up to one. */
export const differentSettings: Rule = {
  name: 'different-settings',
  check({ result: { runners } }) {
    const [first, ...others] = runners
    if (first === undefined) return []
    return others.flatMap(({ instance, settings }) => {
      const names = new Set([...Object.keys(first.settings), ...Object.keys(settings)])
      const different = [...names].filter((name) => !isDeepStrictEqual(first.settings[name], settings[name]))
      return different.map((name) =>
        invalid(
          `runner ${instance} ran with ${name} ${JSON.stringify(settings[name])}, ` +
            `runner ${first.instance} with ${JSON.stringify(first.settings[name])}`,
        ),
      )
    })
  },
}
