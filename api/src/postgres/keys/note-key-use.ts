import type { Pool } from 'pg'
import { COMMIT_HERE } from '../replicated.ts'

/** Says that keys are used; the database keeps it to the minute. */
export async function noteKeyUse(db: Pick<Pool, 'query'>, keyIds: readonly string[]): Promise<void> {
  await db.query(`select ${COMMIT_HERE}, hopwhistle.note_key_use($1)`, [keyIds])
}
