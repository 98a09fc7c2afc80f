import { inject } from 'vitest'

/** Calls a service of the global setup. `verb` is the service, `id` the server. */
export async function askServices<T>(verb: string, id = ''): Promise<T> {
  const response = await fetch(`${inject('services')}/${verb}/${id}`, { method: 'POST' })
  const body = await response.text()
  if (!response.ok) throw new Error(`the test servers answered "${verb}" with: ${body}`)
  return JSON.parse(body) as T
}
