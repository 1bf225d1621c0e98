// Faults of the broken bus: what a careless device side does, and the suite has to notice.
import { busRules } from '../../../firmware/bus/bus-table.hot.js';
import { configChanged } from '../../../firmware/transport/config-change.hot.js';
import { setConfigByte } from '../../../firmware/transport/config-space.hot.js';
import { deviceBus } from '../../../firmware/transport/device.hot.js';
import { Rule } from '../../../firmware/wire/profile.js';
import { attachSpecimen, Specimen, writeSpecimen, writtenSpecimen } from './specimen.hot.js';

/** GET_DEVICES takes any window, and nobody answers for removed devices. */
export function attachBroken(device: number, firstQueue: number): void {
  attachSpecimen(device, firstQueue);
  busRules[deviceBus[device]] = busRules[deviceBus[device]] & ~(Rule.WholeBytes | Rule.AnswersRemoved);
}

/** A write that is refused changes a byte all the same. */
export function writeBroken(device: number, offset: number, length: number): boolean {
  const accepted = writeSpecimen(device, offset, length);
  if (!accepted && offset < Specimen.ConfigBytes) {
    setConfigByte(device, offset, 0xff);
  }
  return accepted;
}

/** The driver is told of its own write, and the count goes up for it. */
export function writtenBroken(device: number, offset: number, length: number): void {
  writtenSpecimen(device, offset, length);
  configChanged(device, offset, length);
}
