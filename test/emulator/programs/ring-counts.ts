// The part of the ring benchmark whose counts `npm test` compares with the recorded ones.
import { main } from './application-core.js';
import { runRings } from './ring-phases.js';

main((bus) => runRings(bus, { rounds: 4, batches: [32], longRounds: 0 }));
