// The first scene on the application core: releases the coprocessor and reads entropy from it.
import { doorbells, figure, main } from './application-core.js';
import { readEntropy } from './read-entropy.js';

main((bus) => {
  readEntropy(bus);
  figure('doorbells', doorbells);
  // The driver looks by itself, too, so nothing else fails when the device never rings.
  if (doorbells < 5) {
    throw new Error('a doorbell of the device ended ' + doorbells + ' waits');
  }
});
