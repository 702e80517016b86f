/**
 * A line of jobs ordered by two numbers: ready jobs by (priority, seq), scheduled ones by (dueAt, seq), finished ones
 * by (finishedAt, seq). A binary heap with lazy deletion: leaving the line is O(1), the dead place is dropped when it
 * comes to the head or when dead places outnumber live ones. Adding in order, the common case, is O(1) too.
 */
export class Line<Member extends { place: Place<Member> | null }> {
  #heap: Place<Member>[] = [];
  #size = 0;

  /** Members in the line. */
  get size(): number {
    return this.#size;
  }

  /** Places in memory, dead ones among them. */
  get places(): number {
    return this.#heap.length;
  }

  /** The first member, which stays; undefined when the line is empty. */
  get head(): Member | undefined {
    let first = this.#heap[0];
    while (first !== undefined && first.member.place !== first) {
      this.#dropHead();
      first = this.#heap[0];
    }
    return first?.member;
  }

  /** In no order. */
  *members(): Generator<Member> {
    for (const place of this.#heap) if (place.member.place === place) yield place.member;
  }

  /** A member stands in at most one line at a time. */
  add(member: Member, rank: number, seq: number): void {
    const place = { member, rank, seq };
    member.place = place;
    this.#size += 1;
    this.#heap.push(place);
    this.#rise(this.#heap.length - 1);
  }

  remove(member: Member): void {
    member.place = null;
    this.#size -= 1;
    if (this.#heap.length > 64 && this.#heap.length > 2 * this.#size) this.#compact();
  }

  #dropHead(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #compact(): void {
    this.#heap = this.#heap.filter((place) => place.member.place === place);
    this.#heap.sort((one, other) => (before(one, other) ? -1 : 1));
  }

  #rise(from: number): void {
    const heap = this.#heap;
    const place = heap[from] as Place<Member>;
    let at = from;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt] as Place<Member>;
      if (!before(place, parent)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = place;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const place = heap[from] as Place<Member>;
    let at = from;
    for (;;) {
      let childAt = 2 * at + 1;
      if (childAt >= heap.length) break;
      const right = heap[childAt + 1];
      if (right !== undefined && before(right, heap[childAt] as Place<Member>)) childAt += 1;
      const child = heap[childAt] as Place<Member>;
      if (!before(child, place)) break;
      heap[at] = child;
      at = childAt;
    }
    heap[at] = place;
  }
}

/** Where a member stands; a place its member no longer points at is dead. */
export interface Place<Member> {
  readonly member: Member;
  readonly rank: number;
  readonly seq: number;
}

function before<Member>(one: Place<Member>, other: Place<Member>): boolean {
  return one.rank < other.rank || (one.rank === other.rank && one.seq < other.seq);
}
