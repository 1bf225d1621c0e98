// Every mailbox driver with the hardware that it is for: one bench each for the shared test body.
import * as hsem from '../../hal/mailboxes/stm32-hsem.hot.js';
import * as ipc from '../../hal/mailboxes/nrf5340-ipc.hot.js';
import * as ipcc from '../../hal/mailboxes/stm32-ipcc.hot.js';
import * as ipi from '../../hal/mailboxes/zynqmp-ipi.hot.js';
import * as k3 from '../../hal/mailboxes/k3-mailbox.hot.js';
import * as mhu from '../../hal/mailboxes/mhu.hot.js';
import * as mhuV1 from '../../hal/mailboxes/mhu-v1.hot.js';
import * as mhuV2 from '../../hal/mailboxes/mhu-v2.hot.js';
import * as mhuV3 from '../../hal/mailboxes/mhu-v3.hot.js';
import * as muV1 from '../../hal/mailboxes/imx-mu-v1.hot.js';
import * as muV2 from '../../hal/mailboxes/imx-mu-v2.hot.js';
import * as rzg2l from '../../hal/mailboxes/rzg2l-mhu.hot.js';
import * as sioDoorbell from '../../hal/mailboxes/rp2350-doorbell.hot.js';
import * as sioFifo from '../../hal/mailboxes/rp2040-fifo.hot.js';
import * as hardware from './mailbox-hardware.js';

interface Driver {
  readonly start: () => void;
  readonly ring: () => number | undefined;
  readonly acknowledge: () => number;
}

/** A mailbox driver against its model. */
export interface Bench extends Driver {
  readonly name: string;
  readonly mailbox: hardware.Mailbox;
}

const bench = (name: string, mailbox: hardware.Mailbox, { start, ring, acknowledge }: Driver): Bench =>
  ({ name, mailbox, start: hardware.counted(start), ring: hardware.counted(ring), acknowledge: hardware.counted(acknowledge) });

const block = 3;
const second = 4;

/** The K3 mailbox through FIFO `receive` and FIFO 2. */
const k3Benches = (receive: number, mailbox: hardware.K3Mailbox): readonly Bench[] => {
  const driver = { start: () => { k3.k3Start(block, receive, 3); }, ring: () => k3.k3Ring(block, 2), acknowledge: () => k3.k3Acknowledge(block, receive, 2, 3) };
  return [
    bench(`TI K3 mailbox, FIFO ${receive}`, mailbox, driver),
    bench(`TI K3 mailbox, FIFO ${receive} for doorbells alone`, mailbox, { ...driver, acknowledge: () => k3.k3AcknowledgeDoorbells(block, receive, 3) }),
  ];
};

/** The K3 mailbox as the tests of control words need it. */
export const k3Mailbox = new hardware.K3Mailbox(block, 3, [9], [2]);

/** The SIO FIFO as the test of its error flags needs it. */
export const sioMailbox = new hardware.SioFifo(block);
export const sioBench = bench('RP2040 SIO FIFO', sioMailbox, {
  start: () => { sioFifo.sioFifoStart(block); },
  ring: () => sioFifo.sioFifoRing(block),
  acknowledge: () => sioFifo.sioFifoAcknowledge(block),
});

export const benches: readonly Bench[] = [
  bench('Arm SSE-200 MHU', hardware.sse200Mhu(block, 1, 0), {
    start: () => { mhu.mhuAcknowledge(block, 1); },
    ring: () => { mhu.mhuRing(block, 0, 0); return undefined; },
    acknowledge: () => mhu.mhuAcknowledge(block, 1),
  }),
  ...[0, 5, 21].map((incoming) => bench(`Arm MHU version 1, high priority, bit ${incoming} comes in`, hardware.mhuV1(block, 0x20, incoming), {
    start: () => { mhuV1.mhuV1Start(block, 0x20); },
    ring: () => mhuV1.mhuV1Ring(block, 0x20),
    acknowledge: () => mhuV1.mhuV1Acknowledge(block, 0x20),
  })),
  bench('Arm MHU version 2', hardware.mhuV2(block, second, 2, 3), {
    start: () => { mhuV2.mhuV2Start(second, 3); },
    ring: () => mhuV2.mhuV2Ring(block, 2),
    acknowledge: () => mhuV2.mhuV2Acknowledge(second, 3),
  }),
  bench('Arm MHU version 3', hardware.mhuV3(block, second, 2, 3), {
    start: () => { mhuV3.mhuV3Start(second, 3); },
    ring: () => mhuV3.mhuV3Ring(block, 2),
    acknowledge: () => mhuV3.mhuV3Acknowledge(second, 3),
  }),
  ...[0, 8, 15, 16, 24].map((agent) => bench(`Xilinx IPI, agent ${agent}`, hardware.xilinxIpi(block, agent), {
    start: () => { ipi.ipiStart(block, agent); },
    ring: () => ipi.ipiRing(block, agent),
    acknowledge: () => ipi.ipiAcknowledge(block, agent),
  })),
  bench('STM32 IPCC, processor 2', hardware.stm32Ipcc(block, 2), {
    start: () => { ipcc.ipccStart(block, 1, 2); },
    ring: () => ipcc.ipccRing(block, 1, 2),
    acknowledge: () => ipcc.ipccAcknowledge(block, 1, 2),
  }),
  bench('NXP MU version 1', hardware.muV1(block, 2), {
    start: () => { muV1.muV1Start(block, 2); },
    ring: () => muV1.muV1Ring(block, 2),
    acknowledge: () => muV1.muV1Acknowledge(block, 2),
  }),
  bench('NXP MU version 2', hardware.muV2(block, 1), {
    start: () => { muV2.muV2Start(block, 1); },
    ring: () => muV2.muV2Ring(block, 1),
    acknowledge: () => muV2.muV2Acknowledge(block, 1),
  }),
  ...k3Benches(9, k3Mailbox),
  ...[7, 8].flatMap((receive) => k3Benches(receive, new hardware.K3Mailbox(block, 3, [receive], [2]))),
  bench('Renesas RZ/G2L MHU', hardware.rzg2lMhu(block, 1, 3), {
    start: () => { rzg2l.rzg2lMhuStart(block, 1); },
    ring: () => rzg2l.rzg2lMhuRing(block, 3),
    acknowledge: () => rzg2l.rzg2lMhuAcknowledge(block, 1),
  }),
  ...[3, 15, 16, 19].map((number) => bench(`STM32H7 HSEM, core 2, semaphore ${number}`, hardware.stm32Hsem(block, number, 5), {
    start: () => { hsem.hsemStart(block, number, 1); },
    ring: () => hsem.hsemRing(block, 5, 1),
    acknowledge: () => hsem.hsemAcknowledge(block, number, 1),
  })),
  sioBench,
  bench('RP2350 SIO doorbells', hardware.sioDoorbells(block, 6), {
    start: () => { sioDoorbell.sioDoorbellStart(block, 6); },
    ring: () => sioDoorbell.sioDoorbellRing(block, 6),
    acknowledge: () => sioDoorbell.sioDoorbellAcknowledge(block, 6),
  }),
  bench('nRF5340 IPC', hardware.nrf5340Ipc(block, 9, 4), {
    start: () => { ipc.ipcStart(block, 9, 4); },
    ring: () => ipc.ipcRing(block, 9),
    acknowledge: () => ipc.ipcAcknowledge(block, 4),
  }),
];
