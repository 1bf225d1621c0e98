// The first scene for a device side that is there already: a driver side that is a process of its own.
import { attach } from './application-core.js';
import { readEntropy } from './read-entropy.js';

attach(readEntropy);
