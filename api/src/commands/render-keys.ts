import type { ListedKey } from '../postgres/keys/list-keys.ts'

const HEADER = ['KEY', 'TENANT', 'TENANT NAME', 'NAME', 'SCOPES', 'RATE', 'MADE', 'STATE'] as const

/** The table of `npm run keys -- list`. */
export function renderKeys(keys: readonly ListedKey[], now: Date): string {
  if (keys.length === 0) return 'There is no key.'
  const rows = keys.map((key) => [
    key.id,
    key.tenantId,
    key.tenantName,
    key.name,
    key.scopes.join(','),
    key.rate === null ? 'usual' : `${key.rate}/s`,
    minute(key.createdAt),
    stateOf(key, now),
  ])
  return table(HEADER, rows)
}

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)))
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function stateOf({ revokedAt }: ListedKey, now: Date): string {
  if (revokedAt === null) return 'works'
  return revokedAt > now ? `works until ${minute(revokedAt)}` : `ended ${minute(revokedAt)}`
}

export const rateText = (rate: number | undefined, otherwise: string): string =>
  rate === undefined ? `as many events a second as ${otherwise}` : `${rate} events a second`

export const minute = (at: Date): string => `${at.toISOString().slice(0, 16).replace('T', ' ')}Z`
