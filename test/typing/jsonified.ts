import type { Json, Jsonified } from '../../src/index.ts';

/** What JSON does to types. Checked by `npm run check`; never run. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_equal: Equal<A, B>): void {}

interface Tree {
  name: string;
  planted: Date;
  children: Tree[];
}

type Nested = Date | Nested[];

class Film {
  readonly title: string;
  private readonly seconds: number;

  constructor(title: string, seconds: number) {
    this.title = title;
    this.seconds = seconds;
  }

  minutes(): number {
    return this.seconds / 60;
  }
}

export function jsonifies(tree: Jsonified<Tree>, nested: Jsonified<Nested>, json: Json): void {
  same<Jsonified<{ at: Date; url: URL; n: number }>, { at: string; url: string; n: number }>(true);
  same<Jsonified<{ a?: string; b: number | undefined }>, { a?: string; b: number | undefined }>(true);
  same<Jsonified<{ run(): void; on?: () => void; [Symbol.iterator]: 1; a: 1 }>, { a: 1 }>(true);
  same<
    Jsonified<{ ok: true; at: Date } | { ok: false; at?: undefined }>,
    { ok: true; at: string } | { ok: false; at?: never }
  >(true);
  same<Jsonified<Film>, { readonly title: string }>(true);
  same<Jsonified<Map<string, Date>>, object>(true);
  same<Jsonified<{ sizes: Set<number>; bytes: Uint8Array }>, { sizes: object; bytes: object }>(true);
  same<Jsonified<bigint | string>, string>(true);
  same<Jsonified<[Date, number]>, [string, number]>(true);
  same<Jsonified<readonly Date[]>, readonly string[]>(true);
  same<Jsonified<Record<string, Date>>, Record<string, string>>(true);
  same<Jsonified<Json>, Json>(true);
  same<Jsonified<unknown>, unknown>(true);
  same<Jsonified<void>, undefined>(true);
  same<Jsonified<never>, never>(true);
  const planted: string | undefined = tree.children[0]?.children[0]?.planted;
  const texts: Json = nested;
  void [planted, texts, json];
}
