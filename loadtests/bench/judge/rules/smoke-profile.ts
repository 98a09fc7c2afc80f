import { provesTargets } from '../../../scenarios/lib/profiles.ts'
import { type Rule, remark } from '../../evidence/evidence.ts'

/** A smoke run shows that everything works together, and says so. */
export const smokeProfile: Rule = {
  name: 'smoke-profile',
  check({ result: { profile } }) {
    return provesTargets(profile) ? [] : [remark(`profile ${profile} proves nothing about the targets`)]
  },
}
