// Section 1: header checks and routing.
import type { Case, Step } from '../runner/vocabulary.js';
import { alive, answer, ask, bringUp, command, event, ignore, inTurn, kick, offer, ring, send, setQueue, setStatus, silence, used } from '../runner/vocabulary.js';

/** Frames with each of these ids, which nobody answers. */
function unknown(message: string, ids: readonly number[]): Step[] {
  return ids.map((id) => send(message, {}, { id, tail: [0, 0, 0, 0, 0, 0, 0, 0] }));
}

/** As many as the known driver's ring has slots. */
const longAnswers: Step[] = [];
for (let slot = 0; slot < 16; slot++) {
  longAnswers.push(ask('GET_VQUEUE', { index: 0 }, {}, { behind: 0xff }));
}

const reserved = [0x00, 0x01];
for (let id = 0x0d; id < 0x40; id++) {
  reserved.push(id);
}
for (let id = 0x43; id < 0x80; id++) {
  reserved.push(id);
}

export const headerCases: readonly Case[] = [
  {
    proves: ['R-044', 'R-047', 'R-043'],
    title: 'a message whose header and payload are 64 bytes fits the maximum of 64, either way',
    profiles: 'AC',
    needs: ['long config'],
    subset: true,
    steps: [
      ask('SET_DRIVER_FEATURES', { block_index: 100, num_blocks: 12, features: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] }),
      ask('GET_CONFIG', { offset: 0, length: 44 }, { length: 44 }),
    ],
  },
  {
    proves: ['R-044', 'R-047', 'R-043'],
    title: 'with the long header too a message of 64 bytes fits the maximum of 64, either way',
    profiles: 'B',
    needs: ['long config'],
    steps: [
      ask('SET_DRIVER_FEATURES', { block_index: 100, num_blocks: 10, features: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0] }),
      ask('GET_CONFIG', { offset: 0, length: 36 }, { length: 36 }),
    ],
  },
  {
    proves: ['R-002'],
    title: 'a msg_size below the header size is discarded',
    subset: true,
    steps: [bringUp('driver'), send('GET_DEVICE_STATUS', {}, { size: 7 }), send('GET_DEVICE_STATUS', {}, { size: 0 }), silence(), alive(3)],
  },
  {
    proves: ['R-003', 'R-005', 'R-033'],
    title: 'a msg_size beyond slot and maximum is discarded, and the next frame is handled',
    subset: true,
    steps: [
      bringUp('driver'),
      send('SET_DEVICE_STATUS', { status: 128 }, { size: 'largest+1' }),
      send('SET_DEVICE_STATUS', { status: 128 }, { size: 0xffff }),
      silence(),
      alive(3),
    ],
  },
  {
    proves: ['R-004'],
    title: 'what lies in the slot behind the message has no meaning',
    subset: true,
    steps: [
      ask('SET_DEVICE_STATUS', { status: 1 }, { status: 1 }, { behind: 0xff }),
      ask('GET_VQUEUE', { index: 0 }, { index: 0, max_size: 'queueSize' }, { behind: 0xff }),
      ask('GET_CONFIG', { offset: 0, length: 0 }, { offset: 0, length: 0 }, { behind: 0x80 }),
    ],
  },
  {
    proves: ['R-006', 'R-007'],
    title: 'reserved type bits are ignored and not sent back',
    subset: true,
    steps: [
      send('GET_DEVICE_STATUS', {}, { type: 0xfc, token: 77 }),
      answer('GET_DEVICE_STATUS', { status: 0 }, { device: 'device', token: 77 }),
      send('PING', { data: 5 }, { type: 0x82, token: 78 }),
      answer('PING', { data: 5 }, { device: 0, token: 78 }),
    ],
  },
  {
    proves: ['R-008'],
    title: 'the reserved header field is ignored and not sent back',
    profiles: 'B',
    steps: [ask('GET_DEVICE_STATUS', {}, { status: 0 }, { reserved: 0xffff }), ask('PING', { data: 1 }, { data: 1 }, { reserved: 1 })],
  },
  {
    proves: ['R-009', 'R-100'],
    title: 'fields wider than a byte are little-endian both ways',
    subset: true,
    steps: [
      ask('GET_DEVICE_INFO', {}, { device_id: 'deviceId', vendor_id: 'vendorId' }),
      ask('GET_DEVICE_FEATURES', { block_index: 0, num_blocks: 2 }, { block_index: 0, num_blocks: 2, features: ['features0', 'features1'] }),
      ask('GET_VQUEUE', { index: 0x01020304 }, { index: 0x01020304, max_size: 0 }),
    ],
  },
  {
    proves: ['R-010', 'R-012'],
    title: 'a message with the bus bit is the bus\'s: id 3 is PING there and GET_DEVICE_FEATURES for a device',
    subset: true,
    steps: [
      ask('PING', { data: 0x01020304 }, { data: 0x01020304 }),
      ask('GET_DEVICE_FEATURES', { block_index: 0, num_blocks: 1 }, { num_blocks: 1 }),
      send('GET_DEVICE_STATUS', {}, { type: 2 }),
      send('GET_DEVICE_STATUS', {}, { type: 2, device: 0 }),
      silence(),
    ],
  },
  {
    proves: ['R-011'],
    title: 'a bus message with a device number is discarded',
    subset: true,
    steps: [send('PING', { data: 1 }, { device: 1 }), send('GET_DEVICES', { offset: 0, count: 32 }, { device: 0xffff }), silence(), ask('PING', { data: 2 }, { data: 2 })],
  },
  {
    proves: ['R-013', 'R-030'],
    title: 'an answer has the request\'s id, number and token, and the response bit',
    subset: true,
    steps: [
      ask('GET_DEVICE_STATUS', {}, {}, { token: 1 }),
      ask('GET_DEVICE_INFO', {}, {}, { token: 0xffff }),
      ask('GET_SHM', { index: 200 }, { index: 200 }, { token: 0x8000 }),
      ask('PING', { data: 9 }, { data: 9 }, { token: 0x1234 }),
    ],
  },
  {
    proves: ['R-013', 'R-062'],
    title: 'answers and states belong to the device the number names',
    needs: ['second device'],
    subset: true,
    steps: [
      ask('SET_DEVICE_STATUS', { status: 1 }, { status: 1 }, { device: 'other' }),
      alive(0),
      alive(1, 'other'),
      setStatus(3),
      alive(1, 'other'),
      alive(3),
    ],
  },
  {
    proves: ['R-014'],
    title: 'device number 0 is a device like any other',
    needs: ['device 0'],
    subset: true,
    steps: [ask('SET_DEVICE_STATUS', { status: 1 }, { status: 1 }, { device: 0 }), alive(1, 0), ask('GET_VQUEUE', { index: 0 }, { index: 0 }, { device: 0 })],
  },
  {
    proves: ['R-015', 'R-063'],
    title: 'messages for a number without device are dropped',
    subset: true,
    steps: [
      send('GET_DEVICE_INFO', {}, { device: 'absent' }),
      send('SET_DEVICE_STATUS', { status: 0 }, { device: 'absent' }),
      send('GET_DEVICE_STATUS', {}, { device: 0xffff }),
      send('EVENT_AVAIL', { vq_index: 0 }, { device: 'absent' }),
      silence(),
      alive(),
    ],
  },
  {
    proves: ['R-015'],
    title: 'the upper bits of a 64-bit device number count',
    profiles: 'B',
    steps: [send('GET_DEVICE_STATUS', {}, { device: 4294967296 }), send('GET_DEVICE_STATUS', {}, { device: 65537 }), silence(), alive()],
  },
  {
    proves: ['R-016'],
    title: 'a request marked as response is discarded',
    subset: true,
    steps: [bringUp('driver'), send('SET_DEVICE_STATUS', { status: 128 }, { type: 1 }), send('GET_DEVICE_STATUS', {}, { type: 1 }), silence(), alive(3)],
  },
  {
    proves: ['R-017'],
    title: 'EVENT_AVAIL marked as response starts nothing',
    needs: ['serves'],
    subset: true,
    steps: [
      bringUp('running', [0]),
      offer(0, [[{ write: 16 }]]),
      send('EVENT_AVAIL', { vq_index: 0 }, { type: 1 }),
      silence(),
      kick(0),
      used(0, 16, 'fill'),
      event('EVENT_USED', { vq_index: 0 }),
    ],
  },
  {
    proves: ['R-018', 'R-022', 'R-057'],
    title: 'every transport id that revision 1 does not have is discarded and the next request answered',
    steps: inTurn([bringUp('driver'), unknown('UNKNOWN', reserved), silence(), alive(3)]),
  },
  {
    proves: ['R-018'],
    title: 'a reserved transport id is discarded and the next request answered',
    subset: true,
    steps: inTurn([unknown('UNKNOWN', [0x00, 0x01, 0x0d, 0x3f, 0x43, 0x7f]), silence(), alive()]),
  },
  {
    proves: ['R-019'],
    title: 'implementation-defined transport ids are discarded',
    subset: true,
    steps: inTurn([unknown('UNKNOWN', [0x80, 0x82, 0xbf, 0xc0, 0xc2, 0xff]), silence(), alive()]),
  },
  {
    proves: ['R-020', 'R-023'],
    title: 'EVENT_CONFIG and EVENT_USED sent to a device are discarded',
    subset: true,
    steps: [send('EVENT_CONFIG', { device_status: 0x4f }), send('EVENT_USED', { vq_index: 0 }), silence(), alive()],
  },
  {
    proves: ['R-021', 'R-316'],
    title: 'bus ids without a meaning are discarded, those that older drafts gave to ERROR, STATUS and RESET included',
    subset: true,
    steps: inTurn([unknown('UNKNOWN_BUS', [0x00, 0x01, 0x04, 0x05, 0x06, 0x3f, 0x41, 0x7f]), silence(), ask('PING', { data: 3 }, { data: 3 })]),
  },
  {
    proves: ['R-317'],
    title: 'bus-specific ids without a handler are discarded',
    subset: true,
    steps: inTurn([unknown('UNKNOWN_BUS', [0x80, 0xbf, 0xc0, 0xff]), silence(), ask('PING', { data: 4 }, { data: 4 })]),
  },
  {
    proves: ['R-020', 'R-023'],
    title: 'EVENT_DEVICE from the driver side is discarded',
    steps: [send('EVENT_DEVICE', { device_number: 'device', device_bus_state: 2 }), silence(), alive()],
  },
  {
    proves: ['R-023'],
    title: 'no EVENT_AVAIL is answered, valid or not',
    needs: ['serves'],
    subset: true,
    steps: [bringUp('running', [0]), kick(0), send('EVENT_AVAIL', { vq_index: 999 }), send('EVENT_AVAIL', {}, { cut: 4 }), send('EVENT_AVAIL', {}, { cut: 8 }), silence(), alive(15)],
  },
  {
    proves: ['R-024', 'R-033'],
    title: 'requests whose payload lacks a byte are discarded',
    subset: true,
    steps: [
      bringUp('driver'),
      send('SET_DEVICE_STATUS', { status: 128 }, { cut: 1 }),
      send('SET_DEVICE_STATUS', {}, { cut: 4 }),
      send('GET_DEVICE_FEATURES', { num_blocks: 1 }, { cut: 1 }),
      send('SET_DRIVER_FEATURES', {}, { cut: 1 }),
      send('GET_CONFIG', {}, { cut: 1 }),
      send('SET_CONFIG', {}, { cut: 1 }),
      send('GET_VQUEUE', {}, { cut: 1 }),
      send('SET_VQUEUE', {}, { cut: 1 }),
      send('RESET_VQUEUE', {}, { cut: 1 }),
      send('GET_SHM', {}, { cut: 1 }),
      send('PING', { data: 1 }, { cut: 1 }),
      send('GET_DEVICES', { count: 32 }, { cut: 1 }),
      silence(),
      alive(3),
    ],
  },
  {
    proves: ['R-025'],
    title: 'payload bytes behind the fields are ignored',
    subset: true,
    steps: [
      ask('GET_DEVICE_STATUS', {}, { status: 0 }, { tail: [1, 2, 3] }),
      ask('SET_DEVICE_STATUS', { status: 1 }, { status: 1 }, { tail: [0xff, 0xff, 0xff, 0xff] }),
      ask('GET_VQUEUE', { index: 0 }, { index: 0, max_size: 'queueSize' }, { tail: [0xff] }),
      ask('GET_DEVICE_INFO', {}, { device_id: 'deviceId' }, { tail: [9, 9, 9, 9, 9, 9, 9, 9] }),
      ask('PING', { data: 6 }, { data: 6 }, { tail: [7, 7] }),
    ],
  },
  {
    proves: ['R-026'],
    title: 'SET_DRIVER_FEATURES that promises more blocks than it has is discarded whole',
    subset: true,
    steps: [
      bringUp('driver'),
      ask('SET_DRIVER_FEATURES', { block_index: 0, num_blocks: 2, features: [0, 1] }),
      send('SET_DRIVER_FEATURES', { block_index: 0, num_blocks: 3, features: [0xffffffff, 0xffffffff] }),
      silence(),
      setStatus(11),
    ],
  },
  {
    proves: ['R-026', 'R-194'],
    title: 'SET_CONFIG that promises more bytes than it has is discarded whole',
    needs: ['writable config'],
    subset: true,
    steps: [
      send('SET_CONFIG', { generation: 'generation', offset: 'writableAt', length: 4, data: [0xaa, 0xbb, 0xcc] }),
      silence(),
      ask('GET_CONFIG', { offset: 'writableAt', length: 4 }, { data: { config: 'writableAt', length: 4 } }),
    ],
  },
  {
    proves: ['R-027', 'R-102'],
    title: 'counts and sums near 2^32 do not wrap',
    subset: true,
    steps: [
      ask('GET_DEVICE_FEATURES', { block_index: 0xffffffff, num_blocks: 2 }, { block_index: 0xffffffff, num_blocks: 2, features: [0, 0] }),
      send('SET_DRIVER_FEATURES', { block_index: 0, num_blocks: 0x40000000, features: [0, 1] }),
      send('SET_DRIVER_FEATURES', { block_index: 0, num_blocks: 0x80000000, features: [0, 1] }),
      silence(),
      alive(),
    ],
  },
  {
    proves: ['R-027', 'R-182'],
    title: 'GET_CONFIG with an offset and a length whose sum wraps reads nothing',
    needs: ['config'],
    subset: true,
    steps: [
      ask('GET_CONFIG', { offset: 0xfffffffc, length: 8 }, { offset: 0xfffffffc, length: 0 }),
      ask('GET_CONFIG', { offset: 4, length: 0xfffffffc }, { offset: 4, length: 0 }),
    ],
  },
  {
    proves: ['R-029', 'R-028', 'R-034', 'R-036', 'R-031', 'R-043'],
    title: 'in a whole life of a device every message has its exact size, zeros behind it, and zeros in reserved places',
    needs: ['serves'],
    subset: true,
    steps: inTurn([
      ask('GET_DEVICES', { offset: 0, count: 32 }, { offset: 0 }, { behind: 0xff }),
      ask('GET_DEVICE_INFO', {}, {}, { behind: 0xff }),
      ask('GET_DEVICE_FEATURES', { block_index: 0, num_blocks: 2 }, {}, { behind: 0xff }),
      bringUp('features'),
      ask('GET_VQUEUE', { index: 0 }, {}, { behind: 0xff }),
      ring(0),
      setQueue(0),
      ask('GET_VQUEUE', { index: 0 }, {}, { behind: 0xff }),
      ask('GET_SHM', { index: 0 }, {}, { behind: 0xff }),
      ask('GET_CONFIG', { offset: 0, length: 0 }, {}, { behind: 0xff }),
      setStatus(15),
      // Long answers all round the ring, so that the event comes into a slot where more stood than it has.
      longAnswers,
      offer(0, [[{ write: 16 }]]),
      kick(0),
      used(0, 16),
      event('EVENT_USED', { vq_index: 0 }),
      ask('RESET_VQUEUE', { index: 0 }, {}, { behind: 0xff }),
      setStatus(0),
    ]),
  },
  {
    proves: ['R-013', 'R-031', 'R-036'],
    title: 'events carry the number of their device, no response bit and token 0',
    needs: ['serves', 'two queues', 'command:break'],
    subset: true,
    steps: [
      bringUp('running', [0, 1]),
      offer(0, [[{ write: 8 }]]),
      kick(0),
      used(0, 8),
      event('EVENT_USED', { vq_index: 0 }),
      command('break'),
      event('EVENT_CONFIG', { device_status: 0x4f }),
    ],
  },
  {
    proves: ['R-032'],
    title: 'the same token in every request changes nothing',
    subset: true,
    steps: [
      ask('SET_DEVICE_STATUS', { status: 1 }, { status: 1 }, { token: 0 }),
      ask('SET_DEVICE_STATUS', { status: 3 }, { status: 3 }, { token: 0 }),
      ask('GET_DEVICE_STATUS', {}, { status: 3 }, { token: 0 }),
      ask('GET_DEVICE_STATUS', {}, { status: 3 }, { token: 0 }),
    ],
  },
  {
    proves: ['R-035'],
    title: 'payload, id and number reach the device and come back as they were',
    subset: true,
    steps: [
      ask('GET_VQUEUE', { index: 0xfedcba98 }, { index: 0xfedcba98 }),
      ask('GET_SHM', { index: 0x89abcdef }, { index: 0x89abcdef }),
      ask('GET_DEVICE_FEATURES', { block_index: 0x12345678, num_blocks: 1 }, { block_index: 0x12345678, num_blocks: 1 }),
      ignore('EVENT_USED'),
    ],
  },
];
