import type { AuditEntry } from '../postgres/keys/list-audit.ts'
import type { ListedKey } from '../postgres/keys/list-keys.ts'

const HEADER = ['KEY', 'TENANT', 'TENANT NAME', 'NAME', 'SCOPES', 'RATE', 'MADE', 'LAST USED', 'STATE'] as const

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
    key.lastUsedAt === null ? 'never' : minute(key.lastUsedAt),
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

const AUDIT_HEADER = ['WHEN', 'WHAT', 'KEY', 'TENANT', 'BY', 'AS', 'NOTE'] as const

/** The table of `npm run keys -- audit`. */
export function renderAudit(entries: readonly AuditEntry[]): string {
  if (entries.length === 0) return 'Nothing has happened to any key.'
  return table(
    AUDIT_HEADER,
    entries.map((entry) => [
      minute(entry.at),
      entry.action,
      entry.keyId,
      entry.tenantId,
      entry.byWhom ?? 'not said',
      entry.byRole,
      [
        ...(entry.replaces === null ? [] : [`in place of ${entry.replaces}`]),
        ...(entry.endsAt === null ? [] : [`ends ${minute(entry.endsAt)}`]),
      ].join(', '),
    ]),
  )
}

export const minute = (at: Date): string => `${at.toISOString().slice(0, 16).replace('T', ' ')}Z`
