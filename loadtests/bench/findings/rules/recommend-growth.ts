/** How much further the load may grow: limits to raise, and where the end would be. */
import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { number, percent } from '@hopwhistle/platform/document/figures.ts'
import { cpuShares } from '../cpu.ts'
import type { Facts } from '../facts.ts'
import { type FindingRule, ratePerSecond } from '../finding.ts'
import type { Resource } from '../resource.ts'
import { isSaturated } from '../resources.ts'

export const raiseLimit: FindingRule = {
  name: 'raise-limit',
  say: ({ resources }) =>
    resources
      .filter(isSaturated)
      .flatMap(({ limit, figures }) =>
        limit === undefined
          ? []
          : [
              LIMITS[limit].scope === 'instance'
                ? `Add an API instance, or raise \`${LIMITS[limit].env}\`: ${figures}.`
                : `Raise \`${LIMITS[limit].env}\` together with the server's own setting: ${figures}.`,
            ],
      ),
}

/** When nothing limits: how far this machine would go, and how to see. */
export const findTheEnd: FindingRule = {
  name: 'find-the-end',
  say(context) {
    const { facts, resources, words } = context
    const rate = ratePerSecond(context)
    if (rate === 0 || resources.some(isSaturated)) return []
    const [first] = resources
      .filter(({ id }) => id !== 'limit' && id !== 'memory')
      .map((resource) => ({ ...resource, reach: rate * growth(resource, facts) }))
      .sort((a, b) => a.reach - b.reach)
    if (first === undefined || !Number.isFinite(first.reach)) return []
    const round = first.reach >= 100 ? Math.floor(first.reach / 50) * 50 : Math.floor(first.reach)
    if (round <= rate) return []
    const variable = facts.load.delivery === undefined ? 'RATE' : 'MESSAGES_PER_SECOND'
    return [
      `Nothing has to change for this load. To find the limit, raise the rate: if the cost grows in proportion, ${first.name} ` +
        `reaches ${percent(first.saturatedAt)} at about ${number(round)} ${words.many} a second (\`${variable}=${round}\`).`,
    ]
  },
}

/** By what factor the load can grow until a resource is used up: what does not depend on the load stays as it is. */
function growth({ id, use, saturatedAt }: Resource, facts: Facts): number {
  const cores = facts.machine?.cores ?? 1
  const fixed =
    id === 'machine cpu'
      ? cpuShares(facts)
          .filter((share) => share.kind === 'sampler' || share.kind === 'other')
          .reduce((sum, share) => sum + share.cores / cores, 0)
      : 0
  return use > fixed ? (saturatedAt - fixed) / (use - fixed) : Number.POSITIVE_INFINITY
}
