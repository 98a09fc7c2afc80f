import { bytes } from '@hopwhistle/platform/document/figures.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'

/** No runner was killed for want of memory. */
export const oomKilled: Rule = {
  name: 'oom-killed',
  check({ result: { distributed } }) {
    return (distributed?.runners ?? []).flatMap(({ instance, oomKilled, memoryLimitBytes }) => {
      if (oomKilled !== true) return []
      const limit = memoryLimitBytes === undefined ? 'it has no limit: its node had none left' : bytes(memoryLimitBytes)
      return [invalid(`runner ${instance} was killed for want of memory (OOMKilled); its limit: ${limit}`)]
    })
  },
}
