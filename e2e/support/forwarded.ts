import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { freePort } from '@hopwhistle/platform/machine/free-port.ts'
import { setAddresses } from '../../dashboards/tests/runbook-commands.ts'

/** What dashboards/runbooks/addresses.md has somebody paste, with ports that are free here. */
export async function forwarded(namespace: string, release: string) {
  let pasted = setAddresses().replace(/^NAMESPACE=.*$/m, `NAMESPACE=${namespace} RELEASE=${release}`)
  const ports: number[] = []
  for (const [, usual] of setAddresses().matchAll(/localhost:(\d+)/g)) {
    const port = await freePort()
    ports.push(port)
    pasted = pasted.replaceAll(`localhost:${usual}`, `localhost:${port}`).replaceAll(` ${usual}:`, ` ${port}:`)
  }
  // In a group of its own, so that what it started ends with it.
  const shell = spawn('bash', ['-c', `set -a\n${pasted}\nenv -0; wait`], { detached: true })
  const said: Buffer[] = []
  shell.stdout.on('data', (chunk: Buffer) => said.push(chunk))
  shell.stderr.on('data', (chunk: Buffer) => said.push(chunk))
  const stop = () => process.kill(-shell.pid!)
  const addresses = () => {
    const all = Buffer.concat(said).toString().split('\0')
    return Object.fromEntries(
      all.flatMap((line) => {
        const [, name = '', value = ''] = /^([A-Z]+)=(.*)$/s.exec(line) ?? []
        return NAMES.has(name) ? [[name, value]] : []
      }),
    )
  }
  try {
    await waitUntil(
      'everything to be forwarded',
      async () => {
        if (Object.keys(addresses()).length < NAMES.size) throw new Error(Buffer.concat(said).toString().slice(0, 500))
        await Promise.all(ports.map(connects))
        return true
      },
      { timeoutMs: 30_000, everyMs: 200 },
    )
  } catch (error) {
    stop()
    throw error
  }
  return { addresses: addresses(), stop }
}

const NAMES = new Set([
  'NAMESPACE',
  'RELEASE',
  'API',
  'ADMIN',
  'PROMETHEUS',
  'PRIMARY',
  'REPLICA',
  'REDIS',
  'KUBECONFIG',
])

const connects = (port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve()
    })
    socket.on('error', reject)
  })
