// The ring benchmark of `vmsg bench` on the application core; 3,126 doorbells of 32 are 100,032 requests.
import { main } from './application-core.js';
import { runRings } from './ring-phases.js';

main((bus) => runRings(bus, { rounds: 40, batches: [1, 32], longRounds: 3126 }));
