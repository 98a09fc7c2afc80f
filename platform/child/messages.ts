/** Messages between the benchmark and a program that it started. Request 0 is the program's configuration. */
export type ToChild = { readonly id: number; readonly request: unknown }
export type FromChild = { readonly id: number; readonly answer?: unknown; readonly problem?: string }
