import { component } from './component.ts'

export const PRIMARY = component('postgres', 'statefulSet')
export const REPLICA = component('postgres-replica', 'statefulSet')
export const BACKUP = component('postgres-backup', 'cronJob')
