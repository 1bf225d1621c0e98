// What `#inflight` names where no front side keeps a record of the chains in flight: nothing, and the bundler drops the calls.
//
// firmware/carriers/vhost-user/inflight.hot.ts is the other one, and says what each function notes.

export const tracked: boolean = false;

export function openRecord(_queue: number): void {
  return;
}

export function headToTake(listed: number): number {
  return listed;
}

export function noteHead(_head: number): void {
  return;
}

export function forgetHead(): void {
  return;
}

export function noteUsedHead(_head: number): void {
  return;
}

export function noteUsedIndex(_index: number): void {
  return;
}

export function noteList(_slot: number, _slots: number, _id: number): void {
  return;
}

export function forgetList(): void {
  return;
}

export function noteUsedList(_id: number): void {
  return;
}

export function noteUsedPosition(_position: number): void {
  return;
}

export function noteShownLists(): void {
  return;
}
