import type { Fsync } from './services.ts';

/**
 * Where measured stores live: the workspace's folder, or a server. Each measurement gets a fresh place there, a file, a
 * schema or a key prefix of its own, which is dropped after it. Servers are the measurement's own, durable and stopped
 * at its end, unless a URL was given.
 */
export interface Site {
  /** Null where there is no server. */
  readonly server: ServerRecord | null;
  fresh(): Promise<Place>;
  /** Ends the server as a power cut does, and starts it again on its data. Null where there is none, or it is not the measurement's own. */
  readonly restart: (() => Promise<void>) | null;
  close(): Promise<void>;
}

/** One fresh store. */
export interface Place {
  /** For `connect`, which makes the store where it is missing. */
  readonly url: string;
  /** For other systems and loops by hand on the same server; null where there is none. */
  readonly server: ServerPlace | null;
  drop(): Promise<void>;
}

export interface ServerPlace {
  readonly kind: 'postgres' | 'redis';
  /** The server's own URL, without options of Longshore. */
  readonly url: string;
  /** A schema or a key prefix that nobody else uses. */
  readonly name: string;
}

/** What a figure depends on besides the machine. */
export interface ServerRecord {
  readonly kind: 'postgres' | 'redis';
  readonly version: string;
  /** Started for this measurement, with nothing else on it. */
  readonly own: boolean;
  /** Whether what was acknowledged survives a crash of the machine; Redis with everysec may lose a second. */
  readonly durable: boolean;
  readonly settings: Readonly<Record<string, string>>;
}

export type StoreKind = 'memory' | 'sqlite' | 'postgres' | 'redis';

export interface SiteSettings {
  readonly store: StoreKind;
  /** Of a running server; absent: one is started. */
  readonly url?: string;
  readonly fsync?: Fsync;
}
