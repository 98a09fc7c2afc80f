import { openTerminal } from '@hopwhistle/platform/command-line/terminal.ts'
import { type Cluster, connect } from '@hopwhistle/platform/kubernetes/connect.ts'
import { afterEach, expect, test, vi } from 'vitest'
import { NotAlone, whenAlone } from '../../bench/cluster/one-at-a-time.ts'
import { type ApiServer, apiServer } from './support/api-server.ts'

let server: ApiServer | undefined
afterEach(() => {
  server?.close()
  vi.unstubAllEnvs()
})

/** With a TestRun `calls` that is not over. */
async function cluster(): Promise<Cluster> {
  server = await apiServer()
  vi.stubEnv('KUBECONFIG', server.kubeconfig)
  return connect()
}

const said: string[] = []
const options = (wait: boolean) => ({
  ...{ wait, signal: AbortSignal.timeout(60_000) },
  terminal: openTerminal({ write: (text: string) => said.push(text) > 0 }),
})

test('a load test is refused while another one is not over, which is named, with how to end it', async () => {
  const measure = vi.fn()
  await expect(whenAlone(await cluster(), options(false), measure)).rejects.toThrow(
    'TestRun "calls" in namespace "load" is not over (created), and two would measure each other: wait for it with ' +
      '--wait, or end it with main.ts stop calls --namespace load',
  )
  expect(measure).not.toHaveBeenCalled()
})

test('with --wait it follows the other one, also one that began at the same moment', async () => {
  const there = await cluster()
  const stages: (string | undefined)[] = []
  const measure = async () => {
    stages.push(server?.stage())
    if (stages.length === 1) throw new NotAlone('TestRun "other" is not over, and two would measure each other')
    return 'measured'
  }
  const measured = whenAlone(there, options(true), measure)
  await goOn(there)
  expect(await measured).toBe('measured')
  // Once for each, also in the log of a Job.
  const told = said.filter((text) => text.includes('waits for another load test'))
  expect(told.map((text) => /TestRun "(\w+)"/.exec(text)?.[1])).toEqual(['calls', 'other'])
  expect(stages).toEqual(['finished', 'finished'])
}, 60_000)

/** What a command that follows the TestRun asks, until that is over. */
async function goOn({ get }: Cluster): Promise<void> {
  while (server?.stage() !== 'finished') {
    await get('/api/v1/nodes/node-1/proxy/metrics/cadvisor')
    await get('/api/v1/namespaces/load/pods/calls-1-x7k2p:6565/proxy/v1/metrics')
  }
}
