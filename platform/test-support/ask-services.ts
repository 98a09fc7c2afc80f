import { inject } from 'vitest'

/** Asks the global setup for something; `verb` is one of its services, `id` the server that is meant. */
export async function askServices<T>(verb: string, id = ''): Promise<T> {
  const response = await fetch(`${inject('services')}/${verb}/${id}`, { method: 'POST' })
  const body = await response.text()
  if (!response.ok) throw new Error(`the test servers answered "${verb}" with: ${body}`)
  return JSON.parse(body) as T
}
