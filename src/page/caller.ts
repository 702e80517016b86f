import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { may } from './api.ts';
import type { Me, Role } from './data.ts';

/** Who looks: what they may not do is not offered. */
export const Caller = createContext<Me>({ name: '', role: 'look' });

export function useMay(needed: Role): boolean {
  return may(useContext(Caller), needed);
}
