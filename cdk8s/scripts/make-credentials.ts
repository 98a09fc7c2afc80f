/**
 * Makes a Secret with passwords in the cluster: node make-credentials.ts NAME KEY…
 *
 * A key that the Secret has keeps its password, so this can run again at any time. A chart that is rendered outside of
 * the cluster could not know what is there, and would make new passwords each time.
 *
 * The Secret has no labels: Argo CD takes what has the label of an instance for its own, and removes what is not in its
 * manifests.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'

const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT_HTTPS: port } = process.env
const [name, ...keys] = process.argv.slice(2)
const ofAccount = (file: string) => readFileSync(`/var/run/secrets/kubernetes.io/serviceaccount/${file}`, 'utf8')
const all = `https://${host?.includes(':') ? `[${host}]` : host}:${port}/api/v1/namespaces/${ofAccount('namespace')}/secrets`

const found = await ask('GET', `${all}/${name}`)
const { metadata, data = {} } = found ?? {}
const missing = keys.filter((key) => !data[key])
const made = Object.fromEntries(missing.map((key) => [key, randomBytes(24).toString('base64url')]))
if (found === undefined) {
  await ask('POST', all, { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type: 'Opaque', stringData: made })
} else if (missing.length > 0) {
  // With the version that was read, so that of two at the same time one fails and starts again.
  await ask('PATCH', `${all}/${name}`, { metadata: { resourceVersion: metadata?.resourceVersion }, stringData: made })
}
console.log(missing.length === 0 ? `Secret ${name} has all passwords` : `Secret ${name}: made ${missing.join(', ')}`)

type Secret = {
  readonly metadata?: { readonly resourceVersion: string }
  readonly data?: Readonly<Record<string, string>>
}

/** @returns undefined for a Secret that is not there @throws with what Kubernetes says, which is never a password */
async function ask(method: string, url: string, body?: object): Promise<Secret | undefined> {
  const headers = { authorization: `Bearer ${ofAccount('token')}`, 'content-type': 'application/merge-patch+json' }
  if (method === 'POST') headers['content-type'] = 'application/json'
  const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  if (answer.ok) return (await answer.json()) as Secret
  if (method === 'GET' && answer.status === 404) return undefined
  const { message } = (await answer.json().catch(() => ({}))) as { readonly message?: string }
  throw new Error(`${method} ${url} was answered with ${answer.status}: ${message}`)
}
