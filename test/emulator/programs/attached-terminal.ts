// The terminal for a device side that is there already: a driver side that is a process of its own.
import { attach } from './application-core.js';
import { useTerminal } from './use-terminal.js';

attach(useTerminal);
