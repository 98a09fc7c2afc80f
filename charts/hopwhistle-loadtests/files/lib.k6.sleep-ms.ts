/** Waits without holding up the other sockets and requests of the same VU, as k6's own `sleep` would. */
export const sleepMs = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
