import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'

/** Whether a URL leads to this machine. One whose name has no address does not. */
export async function isOnThisMachine(url: string): Promise<boolean> {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  const own = new Set(Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address)))
  const isOwn = (address: string) => address.startsWith('127.') || address === '::1' || own.has(address)
  const addresses = await lookup(host, { all: true }).catch(() => [])
  return addresses.some(({ address }) => isOwn(address))
}
