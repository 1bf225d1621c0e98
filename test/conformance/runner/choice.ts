// Where in window 0 the number of the mode stands that a run of the notified suite is about: the emulator writes it before both cores start.

export const CHOICE = 0x7fffe;
