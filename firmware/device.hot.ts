// What a device type's hot part works with: chains of its queues, their bytes, and what to tell the driver.
export { elements, readableBytes, readableElements, writableBytes } from './virtqueue/chain.hot.js';
export { fillChain, randomChain, readChain, writeChain } from './virtqueue/cursor.hot.js';
export { finish, finishLater, take, untake } from './virtqueue/queue.hot.js';
export { queueDevice, queueEpoch, queueIndex } from './virtqueue/queue-table.hot.js';
export { kick, kickLater } from './virtqueue/kicks.hot.js';
export { windowWords } from '#port';
export { copyPrivate, privateByte, privateWindow, setPrivateByte } from './memory/private.hot.js';
export { clearResponse, headerAt, putResponse, putStatusLast, readHeader, responseAt } from './serving/request.hot.js';
export { dropKept, finishKept, isKept, keep, keptQueue, notesAt, recall } from './serving/keep.hot.js';
export { cancelWake, wakeAfter } from './serving/wake.hot.js';
export {
  Block, BlockBytes, blockDone, blockResize, blockRow, blockSector, blockSectors, BlockStatus, blockType, blockUnmap, recallBlock,
} from './devices/block.hot.js';
export { consoleInput, consolePlug, consoleResize, consoleUnplug, inputAt, inputEnd, inputRoom, inputSize } from './devices/console.hot.js';
export { readLog, serialLost } from './devices/console-backends.hot.js';
export { frameArrived, frameSlot, Net, netDropped, netLink } from './devices/network.hot.js';
export { CanFlag, CanFrame, busOff, received, receiveInto } from './devices/can.hot.js';
export { report } from './devices/input.hot.js';
export { answerMessageAt, commandAt, notificationAt, notify, ScmiStatus, setScmiStatus } from './devices/scmi.hot.js';
export { SpiHead } from './devices/spi.hot.js';
export { addMicroseconds, setTime, time, Times } from './devices/time.hot.js';
export { Transfer, transferAt } from './serving/transfer.hot.js';
export { configByte, setConfigByte, setConfigWord } from './transport/config-space.hot.js';
export { configChanged } from './transport/config-change.hot.js';
export { configWrite } from './transport/config.hot.js';
export { plug, Removal, unplug } from './bus/hotplug.hot.js';
export { discarded } from './bus/frame.hot.js';
export { hasFeature } from './transport/device.hot.js';
export { needsReset } from './transport/needs-reset.hot.js';
