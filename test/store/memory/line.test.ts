import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Line, type Place } from '../../../src/store/memory/line.ts';

interface Member {
  place: Place<Member> | null;
  readonly rank: number;
  readonly seq: number;
}

test('a line is always in order, whoever joins and leaves', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('add', 'add', 'remove', 'shift', 'rejoin'), fc.nat(7)), {
    maxLength: 300,
    size: 'max',
  });
  fc.assert(
    fc.property(steps, (sequence) => {
      const line = new Line<Member>();
      let members: Member[] = [];
      let seq = 0;
      const join = (member: Member) => {
        line.add(member, member.rank, member.seq);
        members = [...members, member].sort((one, other) => one.rank - other.rank || one.seq - other.seq);
      };
      for (const [step, number] of sequence) {
        const chosen = step === 'shift' ? line.head : members[number % Math.max(1, members.length)];
        if (step === 'add') join({ place: null, rank: number % 3, seq: ++seq });
        else if (chosen !== undefined) {
          line.remove(chosen);
          members = members.filter((member) => member !== chosen);
          if (step === 'rejoin') join({ place: null, rank: number % 3, seq: chosen.seq });
        }
        assert.equal(line.head, members[0]);
        assert.equal(line.size, members.length);
      }
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('dead places do not pile up', () => {
  const line = new Line<Member>();
  const first: Member = { place: null, rank: 0, seq: 0 };
  line.add(first, 0, 0);
  for (let seq = 1; seq <= 100_000; seq += 1) {
    const member: Member = { place: null, rank: 1, seq };
    line.add(member, 1, seq);
    line.remove(member);
  }
  assert.equal(line.head, first);
  assert.ok(line.places <= 128, `${line.places} places for one member`);
});
