// A device type for tests: it copies the readable part of a chain into the writable part and notes everything it is called for.
import { copy } from '../../hal/fake/port.js';
import type { DeviceModel, DeviceType, SharedMemoryRegion } from '../../firmware/devices/device-model.js';
import {
  elementBytes,
  elementOffset,
  elements,
  elementWindow,
  readableBytes,
  readableElements,
  writableBytes,
} from '../../firmware/virtqueue/chain.hot.js';
import { finish, take } from '../../firmware/virtqueue/queue.hot.js';

export interface TestDeviceOptions {
  readonly number: number;
  readonly deviceId?: number;
  readonly queueSizes?: readonly number[];
  readonly features?: readonly number[];
  readonly config?: readonly number[];
  /** First byte and byte behind the last of the part of the configuration space the driver may write; none by default. */
  readonly writable?: readonly [number, number];
  /** Called when a queue is served, before its chains are taken; `row` is the queue's row in the firmware's tables. */
  readonly onServe?: (index: number, row: number) => void;
  /** Called when a write of the configuration space has been accepted. */
  readonly onConfig?: (row: number, offset: number, length: number) => void;
  /** Handlers and rules of the type beside `serve`, `reset` and `writeConfig`. */
  readonly type?: Partial<Omit<DeviceType, 'serve' | 'reset' | 'writeConfig'>>;
  readonly queueFeatures?: readonly number[];
  readonly regions?: readonly SharedMemoryRegion[];
  /** Chains are taken but not given back. */
  readonly keep?: boolean;
}

export interface SeenChain {
  readonly queue: number;
  readonly head: number;
  readonly readable: number;
  readonly writable: number;
  readonly readableBytes: number;
  readonly writableBytes: number;
}

export interface TestDevice {
  readonly model: DeviceModel;
  /** Index of each queue as it was served. */
  readonly served: number[];
  readonly chains: SeenChain[];
  resets: number;
  /** Row in the device tables. */
  row: number;
  /** Row of queue 0 in the queue tables. */
  firstQueue: number;
}

/** Copies the readable part into the writable part, element by element; returns how many bytes fitted. */
function echo(): number {
  let written = 0;
  let from = 0;
  let fromAt = 0;
  for (let to = readableElements; to < elements; to++) {
    let toAt = 0;
    while (from < readableElements && toAt < (elementBytes[to] ?? 0)) {
      const length = Math.min((elementBytes[from] ?? 0) - fromAt, (elementBytes[to] ?? 0) - toAt);
      const target = (elementOffset[to] ?? 0) + toAt;
      copy(elementWindow[to] ?? 0, target, elementWindow[from] ?? 0, (elementOffset[from] ?? 0) + fromAt, length);
      written += length;
      toAt += length;
      fromAt += length;
      if (fromAt === elementBytes[from]) {
        from += 1;
        fromAt = 0;
      }
    }
  }
  return written;
}

export function testDevice(options: TestDeviceOptions): TestDevice {
  const served: number[] = [];
  const chains: SeenChain[] = [];
  const [writableFrom, writableEnd] = options.writable ?? [0, 0];
  const device: TestDevice = {
    served,
    chains,
    resets: 0,
    row: -1,
    firstQueue: -1,
    model: {
      type: {
        name: 'test',
        deviceId: options.deviceId ?? 42,
        serve(queue: number): void {
          const index = queue - device.firstQueue;
          served.push(index);
          options.onServe?.(index, queue);
          for (let head = take(queue); head >= 0; head = take(queue)) {
            chains.push({
              queue: index,
              head,
              readable: readableElements,
              writable: elements - readableElements,
              readableBytes,
              writableBytes,
            });
            if (options.keep !== true) {
              finish(queue, head, echo());
            }
          }
        },
        reset(): void {
          device.resets += 1;
        },
        writeConfig(row: number, offset: number, length: number): boolean {
          const accepted = offset >= writableFrom && offset + length <= writableEnd;
          if (accepted) {
            options.onConfig?.(row, offset, length);
          }
          return accepted;
        },
        ...options.type,
      },
      number: options.number,
      queueSizes: options.queueSizes ?? [8],
      features: options.features ?? [],
      ...(options.queueFeatures === undefined ? {} : { queueFeatures: options.queueFeatures }),
      ...(options.regions === undefined ? {} : { regions: options.regions }),
      config: options.config ?? [],
      attach(row: number, firstQueue: number): void {
        device.row = row;
        device.firstQueue = firstQueue;
      },
    },
  };
  return device;
}
