import { component } from './component.ts'

export const PRIMARY = component('postgres')
export const REPLICA = component('postgres-replica')
export const BACKUP = component('postgres-backup')
