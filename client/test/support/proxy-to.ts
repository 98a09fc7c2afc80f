import { onTestFinished } from 'vitest'
import { startTcpProxy } from '../../../platform/test-support/tcp-proxy.ts'

export const portOf = (url: string): number => Number(new URL(url).port)

/** One address of the platform, as a load balancer is; gone after the test. */
export async function proxyTo(url: string) {
  const proxy = await startTcpProxy(portOf(url))
  onTestFinished(() => proxy.close())
  return { ...proxy, url: proxy.through(url).replace(/\/$/, '') }
}
