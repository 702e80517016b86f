/** Does not wait long for a lock. */
export const busyMs = 20;
