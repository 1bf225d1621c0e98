// The scene of firmware/apps/terminal.ts: its driver side on the application core.
import { main } from './application-core.js';
import { useTerminal } from './use-terminal.js';

main(useTerminal);
