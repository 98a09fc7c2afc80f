/** Writes docs/configuration.md from the table of settings: `npm run docs:configuration`. */
import { writeFile } from 'node:fs/promises'
import { settingsDocument } from '../config/settings.ts'

await writeFile(new URL('../../../docs/configuration.md', import.meta.url), settingsDocument())
