/** The Secret that gives runners an API key: so it stands neither in the TestRun nor in a list of processes. */
export function apiKeySecret(name: string, namespace: string, key: string) {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData: { key } }
}

export const apiKeyVariable = ({ metadata }: ReturnType<typeof apiKeySecret>) => ({
  name: 'API_KEY',
  valueFrom: { secretKeyRef: { name: metadata.name, key: 'key' } },
})
