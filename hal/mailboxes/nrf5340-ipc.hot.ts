// nRF5340 IPC: sixteen tasks that send over sixteen channels, sixteen latched events that receive from them.
//
// Register            offset
// TASKS_SEND[n]       000 + 4n
// EVENTS_RECEIVE[n]   100 + 4n   1 = happened, write 0 to clear
// INTENSET            304        bit n
// SEND_CNF[n]         510 + 4n   channels the task signals, one bit each
// RECEIVE_CNF[n]      590 + 4n   channels the event listens to
import { registerRead, registerWrite } from '#registers';
import { Ring } from './ring.hot.js';

const enum Ipc {
  TasksSend = 0x000,
  EventsReceive = 0x100,
  IntenSet = 0x304,
  SendCnf = 0x510,
  ReceiveCnf = 0x590,
}

/** Triggers task `number` (0..15). The other core's event is a latch and merges. */
export function ipcRing(block: number, number: number): number {
  registerWrite(block, Ipc.TasksSend + 4 * number, 1, 0);
  return Ring.Rang;
}

/** Clears event `number`; 1 = it had happened, 0 = spurious. Call it before looking at shared memory. */
export function ipcAcknowledge(block: number, number: number): number {
  if ((registerRead(block, Ipc.EventsReceive + 4 * number) & 1) === 0) {
    return 0;
  }
  registerWrite(block, Ipc.EventsReceive + 4 * number, 0, 0);
  // The read makes the write arrive before the interrupt is looked at again.
  registerRead(block, Ipc.EventsReceive + 4 * number);
  return 1;
}

/** Lets task `send` signal channel `send` and event `receive` hear channel `receive`; drops what an earlier run left. */
export function ipcStart(block: number, send: number, receive: number): void {
  registerWrite(block, Ipc.SendCnf + 4 * send, 1 << send, 0);
  registerWrite(block, Ipc.ReceiveCnf + 4 * receive, 1 << receive, 0);
  registerWrite(block, Ipc.EventsReceive + 4 * receive, 0, 0);
  registerWrite(block, Ipc.IntenSet, 1 << receive, 0);
}
