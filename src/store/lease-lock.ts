/**
 * The leadership port: a named, expiring lock with one holder. It keeps maintenance from being done by everybody at
 * once; nothing depends on it for correctness, so a lock that is lost unseen costs work, not data.
 */
export interface LeaseLock {
  /** Takes or renews `name` for `holder`. Resolves to whether `holder` has it until `now + ttlMs`. */
  acquire(request: LockRequest): Promise<boolean>;
  /** Gives `name` up if `holder` has it. */
  release(request: Pick<LockRequest, 'name' | 'holder'>): Promise<void>;
}

export interface LockRequest {
  readonly name: string;
  readonly holder: string;
  readonly ttlMs: number;
  /** Default: the store's clock. */
  readonly now?: number;
}
