import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { CHECKOUT, run } from '../run.ts'
import { scratchFolder } from '../scratch-folder.ts'

const cluster = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  run(process.execPath, ['tooling/cluster/main.ts', ...args], { env })

/** A machine with Node and with nothing else but these programs, which note that they were run. */
function machineWith(programs: readonly string[]) {
  const log = 'echo "$0 $*" >>"$(dirname "$0")/../log"; exit 1'
  const files = Object.fromEntries(programs.map((name) => [`bin/${name}`, `#!/bin/sh\n${log}\n`]))
  const folder = scratchFolder({ log: '', ...files })
  const env = { PATH: `${join(folder, 'bin')}:/usr/bin-not`, HELM: '', GOBIN: folder, HOME: folder }
  return { env, ran: () => readFileSync(join(folder, 'log'), 'utf8') }
}

test('kind-up names every missing tool with how to install it, before anything starts', async () => {
  const { env, ran } = machineWith([])
  const { code, output } = await cluster(['kind-up'], env)
  expect(code).toBe(2)
  for (const tool of ['docker', 'kind', 'kubectl', 'helm']) expect(output).toMatch(new RegExp(`^  ${tool} +\\S`, 'm'))
  expect(output).toContain(process.platform === 'darwin' ? 'brew install kind' : 'go install sigs.k8s.io/kind@v')
  expect(ran()).toBe('')
})

test.each([
  [['deploy'], { NAMESPACE: 'Not_a_name' }, 'NAMESPACE is "Not_a_name"'],
  [['deploy'], { K6_OPERATOR: 'no' }, 'K6_OPERATOR is "no"; it may be skip, or not set'],
  [['deploy'], { IMAGE_BUILDER: 'push' }, 'IMAGE_PREFIX must say where to'],
  [['deploy', 'now'], {}, 'unexpected argument "now"'],
  [['scale', '--replicas', '0'], {}, '--replicas is "0"; it must be a whole number from 1 to 200'],
  [['scale'], {}, '--replicas is ""'],
  [['grow-volume', '--size', '40Gi'], {}, '--volume is ""; it may be postgres, postgres-backup, prometheus'],
  [['grow-volume', '--volume', 'postgres', '--size', 'big'], {}, '--size is "big"; it must be an amount such as 40Gi'],
  [['restore-primary', 'now'], {}, 'unexpected argument "now"'],
  [['fly'], {}, 'unknown command "fly"'],
])('%j with %j ends with 2 and says: %s', async (args, env, message) => {
  const { code, output } = await cluster(args, env)
  expect(code).toBe(2)
  expect(output).toContain(message)
})

test.each(['kind-up', 'kind-down', 'deploy', 'scale', 'grow-volume', 'restore-primary'])(
  '%s --help tells how it is used',
  async (command) => {
    const { code, output } = await cluster([command, '--help'])
    expect(code).toBe(0)
    expect(output).toContain(`Usage: main.ts ${command}`)
    expect(output.split('\n').every((line) => line.length <= 120)).toBe(true)
  },
)

test('deploy says so when no cluster answers', async () => {
  const kubectl = scratchFolder({ config: 'apiVersion: v1\nkind: Config\n' })
  const { code, output } = await cluster(['deploy'], { KUBECONFIG: join(kubectl, 'config') })
  expect(code).toBe(2)
  // A machine without kubectl says that first.
  expect(output).toMatch(/no cluster answers: set KUBECONFIG|missing, and how to install it/)
})

describe('deploy with few rights, and no way out', () => {
  /** A kubectl that knows a cluster with the namespace, and may change nothing in it. */
  const KUBECTL = `#!/bin/sh
echo "$*" >>"$(dirname "$0")/../log"
case "$*" in
  *readyz*|'get namespace hopwhistle'*) exit 0 ;;
  'config current-context') echo elsewhere; exit 0 ;;
esac
echo 'Error from server (Forbidden)' >&2
exit 1
`
  const deployThere = async (env: Readonly<Record<string, string>>) => {
    const folder = scratchFolder({
      log: '',
      'bin/kubectl': KUBECTL,
      'bin/helm': '#!/bin/sh\necho refused >&2; exit 1\n',
    })
    for (const program of ['kubectl', 'helm']) chmodSync(join(folder, 'bin', program), 0o755)
    const path = `${join(folder, 'bin')}:${process.env.PATH}`
    const { code, output } = await cluster(['deploy'], {
      PATH: path,
      HELM: join(folder, 'bin/helm'),
      IMAGE_BUILDER: 'none',
      ...env,
    })
    return { code, output, ran: readFileSync(join(folder, 'log'), 'utf8') }
  }

  test('says how to go on without metrics-server and k6-operator', async () => {
    const first = await deployThere({})
    expect(first.code).toBe(2)
    expect(first.output).toContain('METRICS_SERVER=skip goes on without it')
    const second = await deployThere({ METRICS_SERVER: 'skip' })
    expect(second.output).toContain('K6_OPERATOR=skip goes on without it')
  })

  test('leaves a namespace that is there as it is', async () => {
    const { ran, output } = await deployThere({ METRICS_SERVER: 'skip', K6_OPERATOR: 'skip' })
    expect(output).toContain('refused')
    expect(ran).toContain('get namespace hopwhistle')
    expect(ran).not.toMatch(/^(apply|patch|label)/m)
  })
})

test('deploy shows what Kubernetes refuses to create while it waits, and what was refused before is left out', async () => {
  const event = (uid: string, name: string, message: string) => ({
    metadata: { uid },
    involvedObject: { kind: 'StatefulSet', name },
    reason: 'FailedCreate',
    message,
  })
  const old = event('1', 'older', 'long ago')
  const quota = event('2', 'mine-postgres', 'pods "mine-postgres-0" is forbidden: exceeded quota: small')
  // Helm waits until the command has looked once more after it was told, as it would wait for the pod.
  const folder = scratchFolder({
    'old.json': JSON.stringify({ items: [old] }),
    'new.json': JSON.stringify({ items: [old, quota] }),
    'bin/kubectl': `#!/bin/sh
cd "$(dirname "$0")/.."
case "$*" in
  *events*) if [ -e told ]; then touch told-again; fi
    if [ -e asked ]; then cat new.json; touch told; else touch asked; cat old.json; fi ;;
  *pods*) echo '{"items":[]}' ;;
  'config current-context') echo elsewhere ;;
esac
`,
    'bin/helm': `#!/bin/sh
cd "$(dirname "$0")/.."
while [ ! -e told-again ]; do sleep 0.1; done
echo 'context deadline exceeded' >&2
exit 1
`,
  })
  for (const program of ['kubectl', 'helm']) chmodSync(join(folder, 'bin', program), 0o755)
  const skipped = { METRICS_SERVER: 'skip', K6_OPERATOR: 'skip', IMAGE_BUILDER: 'none' }
  const PATH = `${join(folder, 'bin')}:${process.env.PATH}`
  const { code, output } = await cluster(['deploy'], { ...skipped, PATH, HELM: join(folder, 'bin/helm') })
  expect(code).toBe(2)
  const shown = output.indexOf(
    '! StatefulSet mine-postgres: pods "mine-postgres-0" is forbidden: exceeded quota: small',
  )
  expect(shown).toBeGreaterThan(-1)
  expect(shown).toBeLessThan(output.indexOf('context deadline exceeded'))
  expect(output.slice(output.indexOf('context deadline exceeded'))).toContain('exceeded quota: small')
  expect(output).not.toContain('long ago')
})

test('the ports of kind-config.yaml lead to the NodePorts that the charts get in kind', () => {
  const { nodes } = parse(readFileSync(join(CHECKOUT, 'kind-config.yaml'), 'utf8')) as {
    nodes: { role: string; image: string; extraPortMappings?: { hostPort: number; containerPort: number }[] }[]
  }
  expect(nodes.map(({ role }) => role)).toEqual(['control-plane', 'worker', 'worker'])
  for (const { image } of nodes) expect(image).toMatch(/^kindest\/node:v[\d.]+@sha256:[0-9a-f]{64}$/)
  const mapped = nodes.flatMap(({ extraPortMappings = [] }) => extraPortMappings)
  expect(mapped.map(({ hostPort }) => hostPort)).toEqual([3001, 3000, 9090])
  const valuesOf = (chart: string) =>
    parse(readFileSync(join(CHECKOUT, `tooling/cluster/kind-values/${chart}.yaml`), 'utf8'))
  const { api } = valuesOf('hopwhistle')
  const { grafana, prometheus } = valuesOf('hopwhistle-monitoring')
  const nodePorts = [api.service.nodePort, grafana.nodePort, prometheus.nodePort]
  expect(mapped.map(({ containerPort }) => containerPort)).toEqual(nodePorts)
})
