// The window only this core reaches: headers read from chains, kept chains, packets, RAM disks.

/** Its number; -1 on a board without one. */
export let privateWindow = -1;

export function setPrivateWindow(window: number): void {
  privateWindow = window;
}
