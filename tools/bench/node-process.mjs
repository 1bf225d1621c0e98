// A process of `vmsg bench --node`: runs the program busy-ring in this engine, or another virtio class on the same ring.
//
// Arguments: the bundle, milliseconds of a slice and shape of the requests as busy-ring wants them, and perhaps the file of the class. One process
// measures one shape, since what a process has run before decides what its JIT makes of the next one. Microseconds are
// those of this process alone: the machine may be busy with others.
import { readFileSync } from 'node:fs';
import { minify_sync } from 'terser';

const [bundle, shape, classFile] = process.argv.slice(2);
const shared = new ArrayBuffer(16777216);
const words = new Uint16Array(shared);
words.set(JSON.parse(shape));

const clock = () => process.cpuUsage().user;
const nothing = () => 0;

function runBundle() {
  const names = ['copy', 'fill', 'random', 'seeded', 'clean', 'invalidate', 'barrier', 'idle', 'log', 'write', 'read', 'exit', 'registerRead', 'registerHigh', 'registerWrite'];
  globalThis.native = {
    ...Object.fromEntries(names.map((name) => [name, nothing])),
    memory: (number) => (number === 0 ? shared : new ArrayBuffer(4194304)),
    clock,
    print: (text) => process.stdout.write(`${text}\n`),
  };
  (0, eval)(readFileSync(bundle, 'utf8'));
}

/**
 * The queue of the virtio class of the x86 emulator v86 (its src/virtio.js, as a script or as a module) on a memory whose
 * first byte has the address 0. Its debugging is taken out as its own release build does: it builds a text per descriptor.
 */
function classQueue(source, size, areas) {
  const { code } = minify_sync(source.replace(/^import .*$/gm, '').replace(/^export /gm, ''), {
    compress: { global_defs: { DEBUG: false, LOG_VIRTIO: 0 }, pure_funcs: ['dbg_log', 'dbg_assert', 'h'] },
    mangle: false,
  });
  const longs = new Int32Array(shared);
  const cpu = {
    read16: (at) => words[at >> 1],
    read32s: (at) => longs[at >> 2],
    write16: (at, value) => void (words[at >> 1] = value),
    write32: (at, value) => void (longs[at >> 2] = value),
    io: { register_read: nothing, register_write: nothing },
    devices: { pci: { register_device: nothing, raise_irq: nothing, lower_irq: nothing } },
  };
  const int_log2 = (value) => 31 - Math.clz32(value);
  const v86util = { zeros: (count) => new Array(count).fill(0), int_log2 };
  const VirtIO = new Function('v86util', 'int_log2', `${code}\nreturn VirtIO;`)(v86util, int_log2);
  const device = new VirtIO(cpu, {
    name: 'bench',
    pci_id: 0,
    device_id: 0x1041,
    subsystem_device_id: 1,
    common: { initial_port: 0xa800, queues: [{ size_supported: size, notify_offset: 0 }], features: [32], on_driver_ok: nothing },
    notification: { initial_port: 0xa900, single_handler: false, handlers: [nothing] },
    isr_status: { initial_port: 0xa700 },
  });
  const [queue] = device.queues;
  [queue.desc_addr, queue.avail_addr, queue.used_addr] = areas;
  return queue;
}

function runClass() {
  const size = 256;
  const batch = 32;
  const [descriptors, available, used] = [0x10000, 0x12000, 0x14000];
  const [milliseconds, count] = words;
  const chains = Math.floor(size / count);
  for (let entry = 0; entry < chains * count; entry++) {
    const number = entry % count;
    const at = descriptors / 2 + entry * 8;
    const last = number + 1 === count;
    words.set([number * 0x400, 4, 0, 0, words[2 + number * 2], 0, (last ? 0 : 1) + words[3 + number * 2] * 2, last ? 0 : entry + 1], at);
  }
  for (let place = 0; place < size; place++) {
    words[available / 2 + 2 + place] = (place % chains) * count;
  }
  words[available / 2] = 1;
  const queue = classQueue(readFileSync(classFile, 'utf8'), size, [descriptors, available, used]);
  const serve = (passes) => {
    for (let pass = 0; pass < passes; pass++) {
      words[available / 2 + 1] += batch;
      while (queue.has_request()) {
        queue.push_reply(queue.pop_request());
      }
      queue.flush_replies();
    }
  };
  for (let slice = 0; slice <= 10; slice++) {
    const start = clock();
    let requests = 0;
    while (clock() - start < milliseconds * 1000) {
      serve(1000);
      requests += 1000 * batch;
    }
    if (slice > 0) {
      process.stdout.write(`${requests} ${clock() - start}\n`);
    }
  }
  if (words[used / 2 + 1] !== words[available / 2 + 1]) {
    process.stdout.write('! the class left chains\n');
  }
}

if (classFile === undefined) {
  runBundle();
} else {
  runClass();
}
