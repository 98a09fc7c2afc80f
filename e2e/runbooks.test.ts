import { expect, test } from 'vitest'
import { problemOf, runnableInCluster } from '../dashboards/tests/runbook-commands.ts'
import { forwarded } from './support/forwarded.ts'
import { platform } from './support/platform.ts'

test('every command of a runbook that changes nothing does what it says in a cluster', async () => {
  const { namespace, release } = await platform()
  const { addresses, stop } = await forwarded(namespace, release)
  try {
    const commands = runnableInCluster()
    expect(commands.length).toBeGreaterThan(60)
    const problems: (string | undefined)[] = []
    for (const command of commands) problems.push(await problemOf(command, addresses))
    expect(problems.filter((problem) => problem !== undefined)).toEqual([])
  } finally {
    stop()
  }
})
