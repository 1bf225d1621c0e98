// Section 10 and the carrier: GET_DEVICES, PING, and the life of the AMP shared-memory bus.
import type { Case } from '../runner/vocabulary.js';
import { alive, ask, bringUp, connect, deviceHead, head, offer, send, silence, answer } from '../runner/vocabulary.js';

export const busCases: readonly Case[] = [
  {
    proves: ['R-290', 'R-295', 'R-296', 'R-321'],
    title: 'GET_DEVICES of 32 slots: offset and count come back, bit n is device n, nothing follows',
    needs: ['specimen'],
    subset: true,
    steps: [
      ask('GET_DEVICES', { offset: 0, count: 32 }, { offset: 0, count: 32, next_offset: 0, bitmap: [0x07, 0x02, 0, 0] }),
      ask('GET_DEVICES', { offset: 8, count: 8 }, { offset: 8, count: 8, next_offset: 0, bitmap: [0x02] }),
    ],
  },
  {
    proves: ['R-293', 'R-296', 'R-298'],
    title: 'windows of 8 slots: next_offset leads behind each one as long as a device follows',
    needs: ['specimen'],
    subset: true,
    steps: [
      ask('GET_DEVICES', { offset: 0, count: 8 }, { offset: 0, count: 8, next_offset: 8, bitmap: [0x07] }),
      ask('GET_DEVICES', { offset: 8, count: 8 }, { offset: 8, count: 8, next_offset: 0, bitmap: [0x02] }),
    ],
  },
  {
    proves: ['R-291'],
    title: 'an offset or count that is no multiple of 8 is discarded',
    profiles: 'AC',
    subset: true,
    steps: [
      send('GET_DEVICES', { offset: 0, count: 7 }),
      send('GET_DEVICES', { offset: 4, count: 8 }),
      send('GET_DEVICES', { offset: 1, count: 31 }),
      silence(),
      ask('GET_DEVICES', { offset: 0, count: 8 }, { offset: 0, count: 8 }),
    ],
  },
  {
    proves: ['R-292', 'R-293'],
    title: 'any count is taken, and the unused bits of the last byte are 0',
    profiles: 'B',
    needs: ['specimen'],
    subset: true,
    steps: [
      ask('GET_DEVICES', { offset: 0, count: 3 }, { offset: 0, count: 3, bitmap: [0x07] }),
      ask('GET_DEVICES', { offset: 1, count: 1 }, { offset: 1, count: 1, bitmap: [0x01] }),
      ask('GET_DEVICES', { offset: 1, count: 9 }, { offset: 1, count: 9, next_offset: 0, bitmap: [0x03, 0x01] }),
    ],
  },
  {
    proves: ['R-295', 'R-296'],
    title: 'a window without device is all zero and of the requested count',
    profiles: 'AC',
    needs: ['specimen'],
    subset: true,
    steps: [
      ask('GET_DEVICES', { offset: 16, count: 16 }, { offset: 16, count: 16, next_offset: 0, bitmap: [0, 0] }),
      ask('GET_DEVICES', { offset: 4096, count: 32 }, { offset: 4096, count: 32, next_offset: 0, bitmap: [0, 0, 0, 0] }),
    ],
  },
  {
    proves: ['R-294', 'R-043'],
    title: 'a bitmap that does not fit is cut to 50 bytes, and next_offset points behind it or is 0',
    profiles: 'AC',
    needs: ['specimen'],
    subset: true,
    steps: [ask('GET_DEVICES', { offset: 0, count: 1024 }, { offset: 0, count: 400, next_offset: 0 })],
  },
  {
    proves: ['R-297'],
    title: 'a window over the end of the number space is cut there, one that ends with it is returned in full',
    profiles: 'AC',
    subset: true,
    steps: [
      ask('GET_DEVICES', { offset: 65528, count: 8 }, { offset: 65528, count: 8, next_offset: 0, bitmap: [0] }),
      ask('GET_DEVICES', { offset: 65528, count: 64 }, { offset: 65528, count: 8, next_offset: 0, bitmap: [0] }),
    ],
  },
  {
    proves: ['R-299', 'R-296'],
    title: 'no slots asked for: none come, and next_offset says that devices follow',
    profiles: 'AC',
    needs: ['specimen'],
    subset: true,
    steps: [
      ask('GET_DEVICES', { offset: 8, count: 0 }, { offset: 8, count: 0, next_offset: 8, bitmap: [] }),
      ask('GET_DEVICES', { offset: 16, count: 0 }, { offset: 16, count: 0, next_offset: 0, bitmap: [] }),
    ],
  },
  {
    proves: ['R-300', 'R-319'],
    title: 'PING returns its four bytes',
    subset: true,
    steps: [ask('PING', { data: 0 }, { data: 0 }), ask('PING', { data: 0xffffffff }, { data: 0xffffffff }), ask('PING', { data: 0x80000001 }, { data: 0x80000001 })],
  },
  {
    proves: ['R-301'],
    title: 'a PING answer that nobody waits for is discarded',
    subset: true,
    steps: [send('PING', { data: 1 }, { type: 3 }), send('GET_DEVICES', { count: 8 }, { type: 3 }), silence(), ask('PING', { data: 2 }, { data: 2 })],
  },
  {
    proves: ['R-302'],
    title: 'PING is answered while a device is FAILED and another one resets',
    needs: ['second device'],
    subset: true,
    steps: [
      bringUp('running', []),
      ask('SET_DEVICE_STATUS', { status: 0x8f }, { status: 0x8f }),
      ask('PING', { data: 3 }, { data: 3 }),
      send('SET_DEVICE_STATUS', { status: 0 }, { device: 'other', token: 500 }),
      send('PING', { data: 4 }, { token: 501 }),
      answer('PING', { data: 4 }, { device: 0, token: 501 }),
      answer('SET_DEVICE_STATUS', { status: 0 }, { device: 'other', token: 500 }),
    ],
  },
  {
    proves: ['R-280'],
    title: 'a driver that shuts down: every device is reset, both indices are 0, and the handshake begins anew',
    subset: true,
    steps: [bringUp('running', [0]), head({ status: 'SHUTDOWN' }), deviceHead('INIT', true), connect(), alive(0), ask('GET_VQUEUE', { index: 0 }, { cur_size: 0 })],
  },
  {
    proves: ['R-280'],
    title: 'a driver that falls back to INIT is a driver that is gone',
    subset: true,
    steps: [bringUp('running', [0]), head({ status: 'INIT', tail: 0, head: 0 }), deviceHead('READY', true), connect(), alive(0), ask('GET_VQUEUE', { index: 0 }, { cur_size: 0 })],
  },
  {
    proves: ['R-280'],
    title: 'indices outside the ring are those of a driver that is gone',
    steps: [bringUp('running', [0]), head({ tail: 0xffff }), head({ status: 'SHUTDOWN' }), deviceHead('INIT', true), connect(), alive(0)],
  },
  {
    proves: ['R-280', 'R-420'],
    title: 'a queue head without its magic is that of a driver that is gone',
    steps: [bringUp('running', [0]), offer(0, [[{ write: 16 }]]), head({ magic: 0 }), deviceHead('INIT', true), connect(), alive(0)],
  },
];
