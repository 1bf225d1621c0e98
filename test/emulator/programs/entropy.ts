// The first scene on the application core: releases the coprocessor and reads entropy from it.
import { doorbells, figure, main } from './application-core.js';
import { readEntropy } from './read-entropy.js';

main((bus) => {
  readEntropy(bus);
  figure('doorbells', doorbells);
});
