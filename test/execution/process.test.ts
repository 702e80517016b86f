import { strategySuite } from './strategy-suite.ts';

strategySuite('process');
