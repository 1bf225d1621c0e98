// What `#trace` names in a traced bundle: the runner prints every queue element as one line.
import { registerWrite } from '#registers';
import { Block, Register } from './registers.hot.js';

export const traced: boolean = true;

/** See firmware/carriers/untraced.hot.ts. The line is `> CLOCK WINDOW BYTES` from the driver side, `<` from this one. */
export function traceElement(direction: number, window: number, offset: number, bytes: number): void {
  registerWrite(Block.Trace, Register.TraceSelect, window, bytes);
  registerWrite(Block.Trace, Register.TracePrint, offset & 65535, (offset >> 16) | (direction << 15));
}
