import type { Unit } from './panel.ts'

const SUFFIXES: Readonly<Partial<Record<Unit, string>>> = { cores: 'suffix: cores', x: 'suffix: ×' }

export const grafanaUnit = (unit: Unit): string => SUFFIXES[unit] ?? unit
