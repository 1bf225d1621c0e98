// Section 15: what was seen to break a Linux driver, as that driver goes through a device's life.
import type { Case, How } from '../runner/vocabulary.js';
import { alive, ask, bringUp, command, connect, event, kick, offer, same, send, silence, used } from '../runner/vocabulary.js';

/** The older driver gives every request this token. */
const one: How = { token: 1 };

export const survivalCases: readonly Case[] = [
  {
    proves: ['S-04', 'S-05', 'S-06', 'S-21', 'S-22'],
    title: 'a probe as Linux does it, every request with token 1: one whole answer each, and every status as written',
    steps: [
      ask('GET_DEVICE_INFO', {}, { device_id: { not: 0 } }, one),
      ask('SET_DEVICE_STATUS', { status: 0 }, { status: 0 }, one),
      ask('GET_DEVICE_STATUS', {}, { status: 0 }, one),
      ask('SET_DEVICE_STATUS', { status: 1 }, { status: 1 }, one),
      ask('GET_DEVICE_STATUS', {}, { status: 1 }, one),
      ask('SET_DEVICE_STATUS', { status: 3 }, { status: 3 }, one),
      ask('GET_DEVICE_STATUS', {}, { status: 3 }, one),
      ask('GET_DEVICE_FEATURES', { block_index: 0, num_blocks: 2 }, { block_index: 0, num_blocks: 2 }, one),
      silence(),
      bringUp('features'),
      alive(11),
      bringUp('running', [0]),
      alive(15),
      silence(),
    ],
  },
  {
    proves: ['S-01'],
    title: 'a driver that comes back with a used buffer unseen hears nothing before its first status, nor after it',
    profiles: 'AC',
    needs: ['serves'],
    steps: [bringUp('running', [0]), offer(0, [[{ write: 16 }], [{ write: 16 }]]), kick(0), connect(), silence(), ask('GET_DEVICE_INFO'), silence(), alive(0), silence()],
  },
  {
    proves: ['S-02'],
    title: 'one EVENT_USED of 12 bytes for the queue that was set up, none for others',
    profiles: 'AC',
    needs: ['serves', 'two queues'],
    steps: [
      bringUp('running', [0]),
      kick(1),
      send('EVENT_AVAIL', { vq_index: 'queueCount' }),
      offer(0, [[{ write: 16 }]]),
      kick(0),
      event('EVENT_USED', { vq_index: 0 }),
      used(0, 16, 'fill'),
      silence(),
    ],
  },
  {
    proves: ['S-07'],
    title: 'num_feature_bits is 64',
    profiles: 'A',
    steps: [ask('GET_DEVICE_INFO', {}, { num_feature_bits: 64 })],
  },
  {
    proves: ['S-08'],
    title: 'two feature blocks, so neither none nor more than four',
    profiles: 'C',
    needs: ['specimen'],
    steps: [ask('GET_DEVICE_INFO', {}, { num_feature_blocks: 2 })],
  },
  {
    proves: ['S-09'],
    title: 'GET_DEVICES as the bus asks at its start: offset 0 and count 32 come back',
    profiles: 'A',
    steps: [ask('GET_DEVICES', { offset: 0, count: 32 }, { offset: 0, count: 32 }, one)],
  },
  {
    proves: ['S-10'],
    title: 'no listed device has device id 0',
    profiles: 'AC',
    needs: ['second device'],
    steps: [ask('GET_DEVICE_INFO', {}, { device_id: { not: 0 } }), ask('GET_DEVICE_INFO', {}, { device_id: { not: 0 } }, { device: 'other' })],
  },
  {
    proves: ['S-11', 'S-20'],
    title: 'reads echo offset and length, also around the question for the generation, which stays as it is',
    profiles: 'AC',
    needs: ['config'],
    steps: [
      same('GET_CONFIG', { offset: 0, length: 0 }, 'question', one),
      ask('GET_CONFIG', { offset: 0, length: 4 }, { offset: 0, length: 4 }, one),
      ask('GET_CONFIG', { offset: 2, length: 2 }, { offset: 2, length: 2 }, one),
      same('GET_CONFIG', { offset: 0, length: 0 }, 'question', one),
    ],
  },
  {
    proves: ['S-12', 'S-13'],
    title: 'a write in parts, each with the generation read before the first: all are applied, the generation stays',
    profiles: 'A',
    needs: ['writable config', 'strict'],
    steps: [
      ask('GET_CONFIG', { offset: 'writableAt', length: 2 }, { offset: 'writableAt', length: 2 }),
      ask('SET_CONFIG', { generation: 'generation', offset: 'writableAt', length: 1, data: [7] }, { generation: 'generation', offset: 'writableAt', length: 1 }),
      ask('SET_CONFIG', { generation: 'generation', offset: 'writableAt+1', length: 1, data: [8] }, { generation: 'generation', offset: 'writableAt+1', length: 1 }),
      ask('GET_CONFIG', { offset: 'writableAt', length: 2 }, { generation: 'generation', data: [7, 8] }),
    ],
  },
  {
    proves: ['S-12'],
    title: 'a write with generation 0 is applied',
    profiles: 'C',
    needs: ['writable config', 'baseline'],
    steps: [
      ask('SET_CONFIG', { generation: 0, offset: 'writableAt', length: 1, data: [7] }, { offset: 'writableAt', length: 1 }),
      ask('GET_CONFIG', { offset: 'writableAt', length: 1 }, { data: [7] }),
    ],
  },
  {
    proves: ['S-14'],
    title: 'EVENT_CONFIG names the byte that changed, and carries it',
    profiles: 'AC',
    needs: ['specimen', 'two queues', 'command:change byte'],
    steps: [bringUp('running', [0, 1]), command('change byte'), event('EVENT_CONFIG', { device_status: 15, offset: 13, length: 1 })],
  },
  {
    proves: ['S-15', 'S-16'],
    title: 'a queue that was set up shows the flag "enabled" alone, its size, and no address 0',
    profiles: 'C',
    steps: [
      bringUp('queues', [0]),
      ask('GET_VQUEUE', { index: 0 }, { max_size: 'queueSize', cur_size: { not: 0 }, flags: 1, desc_addr: { not: 0 }, driver_addr: { not: 0 }, device_addr: { not: 0 } }),
    ],
  },
  {
    proves: ['S-17'],
    title: 'a queue that was reset shows size, flags and addresses 0',
    profiles: 'C',
    needs: ['offers:40'],
    steps: [
      bringUp('running', [0], [0, 0x100]),
      ask('RESET_VQUEUE', { index: 0 }),
      ask('GET_VQUEUE', { index: 0 }, { max_size: 'queueSize', cur_size: 0, flags: 0, desc_addr: 0, driver_addr: 0, device_addr: 0 }),
    ],
  },
  {
    proves: ['S-18', 'S-19'],
    title: 'queues 0 and 1 lie below max_virtqueues and have powers of two as largest sizes, 16 and 8',
    profiles: 'AC',
    needs: ['specimen'],
    steps: [
      ask('GET_DEVICE_INFO', {}, { max_virtqueues: 3 }),
      ask('GET_VQUEUE', { index: 0 }, { max_size: 16 }),
      ask('GET_VQUEUE', { index: 1 }, { max_size: 8 }),
      ask('GET_VQUEUE', { index: 3 }, { max_size: 0 }),
    ],
  },
];
