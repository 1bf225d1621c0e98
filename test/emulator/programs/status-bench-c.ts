// The status rounds of the benchmark with profile C.
import { statusBench } from './status-bench.js';

statusBench('C');
