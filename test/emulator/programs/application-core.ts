// What every program on the application core needs: the machine behind its port, steps with names, and one way to end.
import { barrier, clock, exit, layouts, print, release, ring, wait, windows, windowWords } from '#driver-port';
import { Wake } from '../../../hal/port.js';
import { AmpBus } from '../../support/driver/amp-bus.js';
import type { Profile } from '../../support/driver/message.js';
import type { DriverMachine } from '../../support/driver/machine.js';

/** Waits that a doorbell of the device ended. */
export let doorbells = 0;

/** The machine with the memory of window `window` as the shared one. */
function machineOf(window: number): DriverMachine {
  const address = windows[window].driverAddress.replace('0x', '');
  return {
    words: windowWords[window],
    addressLow: parseInt(address.substring(8), 16),
    addressHigh: parseInt(address.substring(0, 8), 16),
    layout: layouts[0].offset,
    ring,
    wait(microseconds: number): void {
      if (wait(microseconds) === Wake.Doorbell) {
        doorbells++;
      }
    },
    barrier,
    clock,
  };
}

/** The window of rings and buffers: the largest that both sides reach. The layout may have one of its own. */
export const home = windows.reduce((best, window, at) => (window.driverAddress !== '' && window.bytes > windows[best].bytes ? at : best), 0);
export const machine = machineOf(home);
/** From here on the home window is the programs' own: as much again lies behind it twice, and in front of it what the layout may need. */
export const own = windows[home].bytes >= 0x400000 ? 0x100000 : 0x10000;
const layoutMachine = machineOf(layouts[0].window);

/** Announces a step of the program; a hang is reported with the last one announced. */
export function step(name: string): void {
  print('= ' + name);
}

/** Reports a figure for the summary. */
export function figure(name: string, value: number): void {
  print('# ' + name + ' ' + value);
}

const digits = '0123456789abcdef';

/** Prints every message as one line: direction, clock, bytes. */
export function traceMessages(bus: AmpBus): void {
  bus.listener = (direction, bytes, when) => {
    let line = (direction === 'send' ? '> ' : '< ') + when + ' ';
    bytes.forEach((byte) => {
      line += digits.charAt(byte >> 4) + digits.charAt(byte & 15);
    });
    print(line);
  };
}

/** Runs `program` against a device side that is there already and ends with status 0, or 2 with the reason. */
export function attach(program: (bus: AmpBus) => void, profile: Profile = 'A'): void {
  try {
    program(new AmpBus(layoutMachine, profile));
    exit(0);
  } catch (error) {
    print('! ' + (error instanceof Error ? error.message : String(error)));
    exit(2);
  }
}

/** Starts the other core, runs `program` and ends the emulation: status 0, or 2 with the reason. */
export function main(program: (bus: AmpBus) => void, profile: Profile = 'A'): void {
  attach((bus) => {
    step('release the coprocessor from reset');
    // What an earlier run left in the shared memory must not be taken for a published layout.
    bus.machine.words[bus.machine.layout / 2] = 0;
    release();
    program(bus);
  }, profile);
}
