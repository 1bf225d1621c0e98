// The status rounds of the benchmark with profile B.
import { statusBench } from './status-bench.js';

statusBench('B');
