import Type from 'typebox';
import { Closed } from '../forms.ts';
import { type Operation, operation } from '../operation.ts';
import { ROLES } from '../roles.ts';

/** Who asks: a page offers what the caller may do. */
export const MeForm = Closed({ name: Type.String(), role: Type.Enum([...ROLES]) });

const get = operation('GET /me', {
  id: 'getMe',
  summary: 'Who asks, and in which role',
  role: 'look',
  answers: { 200: { is: 'The caller', schema: MeForm } },
  run: async ({ caller: { name, role } }) => ({ json: { name, role } }),
});

export const me: readonly Operation[] = [get];
