// The status rounds of the benchmark with profile A, as those of the other profiles are measured.
import { statusBench } from './status-bench.js';

statusBench('A');
