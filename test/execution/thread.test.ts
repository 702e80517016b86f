import { strategySuite } from './strategy-suite.ts';

strategySuite('thread');
