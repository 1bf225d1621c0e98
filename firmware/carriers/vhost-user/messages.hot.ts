// The front side's messages: checks each one once, does what it asks, answers, and refuses what it must not do.
import { copy, fill, log, windowWords } from '#port';
import { disconnect, keepCall, keepError, keepKick, messageBytes, messageDescriptors, messageWindow, reply, withheld } from '#vhost-user';
import { MachineLimit, MessageWindow } from '../../../hal/vhost-user.js';
import { configSize } from '../../transport/device.hot.js';
import { Log } from '../../wire/log.js';
import { MessageId } from '../../wire/message.js';
import { Status } from '../../wire/status.js';
import { answerWord, Ask, ask, askStatus, setWord } from './ask.hot.js';
import { makeRecords, takeRecords } from './inflight-region.hot.js';
import { takeRegions } from './regions.hot.js';
import {
  agree,
  anyRunning,
  device,
  features,
  forgetPositions,
  isPacked,
  isRunning,
  mayResume,
  resetRings,
  rings,
  setAddresses,
  setBase,
  setEnabled,
  setEnabledByMessage,
  setKicked,
  setSize,
  startRings,
  stopRings,
  takeBase,
} from './rings.hot.js';
import { Message, ProtocolFeature, Refusal, VhostFeature, VhostRequest } from '../../wire/vhost-user.js';

const enum Place {
  In = MessageWindow.Incoming >> 1,
  Payload = In + Message.PayloadWord,
  Out = MessageWindow.Outgoing >> 1,
  OutPayload = Out + Message.PayloadWord,
}

const enum Sizes {
  Nothing = 0,
  Mask = 8,
  RingState = 8,
  Addresses = 40,
  TableHeader = 8,
  Region = 32,
}

/** 1 = the message at hand has been answered. */
let answered = 0;

/** Sends the answer to `request` with `bytes` bytes of payload, which has been written. */
function answer(request: number, bytes: number): void {
  const memory = windowWords[messageWindow];
  memory[Place.Out] = request;
  memory[Place.Out + 1] = 0;
  memory[Place.Out + 2] = Message.Version | Message.Reply;
  memory[Place.Out + 3] = 0;
  memory[Place.Out + 4] = bytes;
  memory[Place.Out + 5] = 0;
  reply(Message.HeaderBytes + bytes);
  answered = 1;
}

/** Sends two halves as a 64-bit number or as the second number of a ring state. */
function answerMask(request: number, first: number, second: number, third: number, fourth: number): void {
  const memory = windowWords[messageWindow];
  memory[Place.OutPayload] = first;
  memory[Place.OutPayload + 1] = second;
  memory[Place.OutPayload + 2] = third;
  memory[Place.OutPayload + 3] = fourth;
  answer(request, Sizes.Mask);
}

/** What GET_FEATURES says of half `half`; the device's offered features are the answer at hand. */
function offeredHalf(half: number): number {
  let value = answerWord(4 + half) & ~withheld(half);
  if (half === VhostFeature.ProtocolFeaturesHalf) {
    value |= VhostFeature.ProtocolFeatures;
  }
  if (half === VhostFeature.NotOfferedHalf) {
    value &= ~VhostFeature.NotOffered;
  }
  return value;
}

/** Fetches the offered features from the device. */
function askFeatures(): void {
  setWord(0, 0);
  setWord(1, 0);
  setWord(2, 2);
  setWord(3, 0);
  ask(MessageId.GetDeviceFeatures, 8);
}

function getFeatures(): number {
  askFeatures();
  answerMask(VhostRequest.GetFeatures, offeredHalf(0), offeredHalf(1), offeredHalf(2), offeredHalf(3));
  return Refusal.None;
}

/** SET_FEATURES: once the rings stand still another set begins a new life of the device; the same one may resume the old life. */
function setFeatures(): number {
  const memory = windowWords[messageWindow];
  let same = true;
  askFeatures();
  for (let half = 0; half < 4; half++) {
    const wanted = memory[Place.Payload + half];
    if ((wanted & ~offeredHalf(half)) !== 0) {
      return Refusal.Features;
    }
    let kept = wanted;
    if (half === VhostFeature.ProtocolFeaturesHalf) {
      kept &= ~VhostFeature.ProtocolFeatures;
    }
    same = same && kept === features[half];
  }
  if (anyRunning()) {
    return same ? Refusal.None : Refusal.Running;
  }
  setEnabledByMessage((memory[Place.Payload + VhostFeature.ProtocolFeaturesHalf] & VhostFeature.ProtocolFeatures) !== 0);
  if (same && mayResume()) {
    return startRings();
  }
  resetRings();
  for (let half = 0; half < 4; half++) {
    features[half] = memory[Place.Payload + half];
  }
  features[VhostFeature.ProtocolFeaturesHalf] = features[VhostFeature.ProtocolFeaturesHalf] & ~VhostFeature.ProtocolFeatures;
  return startRings();
}

function setProtocolFeatures(): number {
  const memory = windowWords[messageWindow];
  const low = memory[Place.Payload];
  const high = memory[Place.Payload + 1];
  if (
    (low & ~ProtocolFeature.OfferedLow) !== 0 ||
    (high & ~ProtocolFeature.OfferedHigh) !== 0 ||
    (memory[Place.Payload + 2] | memory[Place.Payload + 3]) !== 0
  ) {
    return Refusal.Features;
  }
  return Refusal.None;
}

function setMemTable(size: number, descriptors: number): number {
  const memory = windowWords[messageWindow];
  const count = memory[Place.Payload];
  if (memory[Place.Payload + 1] !== 0 || count === 0 || count > Message.Regions) {
    return Refusal.Regions;
  }
  if (size !== Sizes.TableHeader + count * Sizes.Region) {
    return Refusal.Size;
  }
  if (descriptors !== count) {
    return Refusal.Descriptors;
  }
  stopRings();
  const refusal = takeRegions(count);
  return refusal === Refusal.None ? startRings() : refusal;
}

function getInflightFd(size: number): number {
  const refusal = makeRecords(size, rings());
  if (refusal === Refusal.None) {
    answer(VhostRequest.GetInflightFd, size);
  }
  return refusal;
}

function setInflightFd(size: number, descriptors: number): number {
  if (descriptors !== 1) {
    return Refusal.Descriptors;
  }
  return anyRunning() ? Refusal.Running : takeRecords(size, rings());
}

/** The ring that the first 32 bits of the payload name, or -1. */
function ringAt(): number {
  const memory = windowWords[messageWindow];
  const ring = memory[Place.Payload];
  return memory[Place.Payload + 1] === 0 && ring < rings() ? ring : -1;
}

function setVringNum(ring: number): number {
  const memory = windowWords[messageWindow];
  const entries = memory[Place.Payload + 2];
  if (memory[Place.Payload + 3] !== 0 || entries === 0 || entries > 32768) {
    return Refusal.Entries;
  }
  if (isRunning(ring)) {
    return Refusal.Running;
  }
  setSize(ring, entries);
  return Refusal.None;
}

/** SET_VRING_BASE. Packed: position of the available one in the lower half, of the used one in the upper; what lies between them is done again. */
function setVringBase(ring: number): number {
  const memory = windowWords[messageWindow];
  const low = memory[Place.Payload + 2];
  const high = memory[Place.Payload + 3];
  if (isRunning(ring)) {
    return Refusal.Running;
  }
  if (!isPacked()) {
    if (high !== 0) {
      return Refusal.Base;
    }
    setBase(ring, low);
    return Refusal.None;
  }
  setBase(ring, high);
  return Refusal.None;
}

function getVringBase(ring: number): number {
  const position = takeBase(ring);
  answerMask(VhostRequest.GetVringBase, ring, 0, position, isPacked() ? position : 0);
  return Refusal.None;
}

/** SET_VRING_KICK, SET_VRING_CALL and SET_VRING_ERR: which ring, and the descriptor that came with it or none. */
function setDescriptor(request: number, descriptors: number): number {
  const memory = windowWords[messageWindow];
  const mask = memory[Place.Payload];
  const ring = mask & Message.RingMask;
  const none = (mask & Message.NoDescriptor) !== 0;
  if (ring >= rings()) {
    return Refusal.Ring;
  }
  if (descriptors !== (none ? 0 : 1)) {
    return Refusal.Descriptors;
  }
  if (request === VhostRequest.SetVringCall) {
    keepCall(ring, none ? -1 : 0);
    return Refusal.None;
  }
  if (request === VhostRequest.SetVringErr) {
    keepError(ring, none ? -1 : 0);
    return Refusal.None;
  }
  if (none) {
    return Refusal.Polling;
  }
  keepKick(ring, 0);
  return setKicked(ring);
}

/** SET_STATUS: what the device makes of it is told by GET_STATUS. */
function setStatus(): number {
  const status = windowWords[messageWindow][Place.Payload] & 255;
  if (status === 0) {
    resetRings();
    return Refusal.None;
  }
  if ((status & Status.FeaturesOk) === 0 || agree()) {
    askStatus(status);
  }
  return Refusal.None;
}

function getStatus(): number {
  ask(MessageId.GetDeviceStatus, 0);
  answerMask(VhostRequest.GetStatus, answerWord(0), 0, 0, 0);
  return Refusal.None;
}

/** Has the device tell `length` bytes from `offset` of its configuration; true when it did. */
function askConfig(offset: number, length: number): boolean {
  setWord(0, offset);
  setWord(1, 0);
  setWord(2, length);
  setWord(3, 0);
  ask(MessageId.GetConfig, 8);
  return answerWord(4) === length;
}

/** Checks offset and length of an access to the configuration, whose message has `size` bytes of payload; returns the length or a negative Refusal. */
function configLength(size: number): number {
  const memory = windowWords[messageWindow];
  const length = memory[Place.Payload + 2];
  if ((memory[Place.Payload + 1] | memory[Place.Payload + 3]) !== 0 || length > Message.ConfigBytes || length === 0 || memory[Place.Payload] > Message.ConfigBytes) {
    return -Refusal.Config;
  }
  return size === Message.ConfigHeaderBytes + length ? length : -Refusal.Size;
}

/** Bytes of the configuration from 0 on that the front side has a copy of; 0 = none. */
let shownBytes = 0;

/** A new connection has been shown nothing. */
export function forgetShown(): void {
  shownBytes = 0;
}

/** Keeps what the front side knows of the configuration now: `length` bytes from `offset`, which are in the message at byte `from` of the window. */
function show(offset: number, length: number, from: number): void {
  if (offset <= shownBytes && offset + length <= Message.ConfigBytes) {
    copy(messageWindow, MessageWindow.Shown + offset, messageWindow, from + Message.HeaderBytes + Message.ConfigHeaderBytes, length);
    shownBytes = offset + length > shownBytes ? offset + length : shownBytes;
  }
}

/** GET_CONFIG: what lies behind the device's own configuration reads as zeros, since front sides ask for the longest form. */
function getConfig(size: number): number {
  const memory = windowWords[messageWindow];
  const length = configLength(size);
  if (length < 0) {
    answer(VhostRequest.GetConfig, 0);
    return -length;
  }
  const offset = memory[Place.Payload];
  const there = configSize[device] - offset;
  const shown = there < length ? there : length;
  for (let word = 0; word < 6; word++) {
    memory[Place.OutPayload + word] = memory[Place.Payload + word];
  }
  fill(messageWindow, MessageWindow.Outgoing + Message.HeaderBytes + Message.ConfigHeaderBytes, length, 0);
  if (shown > 0 && askConfig(offset, shown)) {
    copy(
      messageWindow,
      MessageWindow.Outgoing + Message.HeaderBytes + Message.ConfigHeaderBytes,
      messageWindow,
      (Ask.AnswerAt + 6) * 2,
      shown,
    );
  }
  show(offset, length, MessageWindow.Outgoing);
  answer(VhostRequest.GetConfig, Message.ConfigHeaderBytes + length);
  return Refusal.None;
}

/** Byte `at` of the message window. */
function messageByte(at: number): number {
  return (windowWords[messageWindow][at >> 1] >> ((at & 1) << 3)) & 255;
}

/** True when byte `at` of the configuration in the message at hand is the byte `at` behind `from`. */
function unchanged(from: number, at: number): boolean {
  return messageByte(MessageWindow.Incoming + Message.HeaderBytes + Message.ConfigHeaderBytes + at) === messageByte(from + at);
}

/**
 * SET_CONFIG: front sides write the whole of their copy to change one field; the device is asked for what differs, all of it or
 * nothing. What its driver changed differs from what the front side was shown: the device's own may have changed since by itself, as
 * an input device's does by what is written to it.
 */
function setConfig(size: number): number {
  const memory = windowWords[messageWindow];
  const length = configLength(size);
  if (length < 0) {
    return -length;
  }
  const offset = memory[Place.Payload];
  if (offset + length > configSize[device] || !askConfig(offset, length)) {
    return Refusal.Config;
  }
  let first = 0;
  let last = length;
  const from = offset + length <= shownBytes ? MessageWindow.Shown + offset : (Ask.AnswerAt + 6) * 2;
  while (first < last && unchanged(from, first)) {
    first += 1;
  }
  while (last > first && unchanged(from, last - 1)) {
    last -= 1;
  }
  show(offset, length, MessageWindow.Incoming);
  if (first === last) {
    return Refusal.None;
  }
  // The generation count of the answer: what the message was made for.
  setWord(0, answerWord(0));
  setWord(1, answerWord(1));
  setWord(2, offset + first);
  setWord(3, 0);
  setWord(4, last - first);
  setWord(5, 0);
  copy(
    messageWindow,
    (Ask.PayloadAt + 6) * 2,
    messageWindow,
    MessageWindow.Incoming + Message.HeaderBytes + Message.ConfigHeaderBytes + first,
    last - first,
  );
  ask(MessageId.SetConfig, 12 + last - first);
  return answerWord(4) === last - first ? Refusal.None : Refusal.Config;
}

/** True when the message that waits is about a ring that runs. */
function namesRunningRing(): boolean {
  const ring = ringAt();
  return ring >= 0 && isRunning(ring);
}

/** True when the message that waits stops rings that run; they go on elsewhere, or later, where they were. */
export function stopsRings(): boolean {
  switch (windowWords[messageWindow][Place.In]) {
    case VhostRequest.GetVringBase:
    case VhostRequest.SetVringEnable:
    case VhostRequest.SetVringAddr:
      return namesRunningRing();
    case VhostRequest.SetMemTable:
      return anyRunning();
    case VhostRequest.SetStatus:
      // QEMU 7.2 pauses a disk with status 0, and asks afterwards where its rings stand.
      return anyRunning() && (windowWords[messageWindow][Place.Payload] & 255) === 0;
    default:
      return false;
  }
}

/** Requests about one ring, whose payload has `size` bytes. */
function ringRequest(request: number, size: number): number {
  if (size !== (request === VhostRequest.SetVringAddr ? Sizes.Addresses : Sizes.RingState)) {
    return Refusal.Size;
  }
  const ring = ringAt();
  if (ring < 0) {
    return Refusal.Ring;
  }
  switch (request) {
    case VhostRequest.SetVringNum:
      return setVringNum(ring);
    case VhostRequest.SetVringAddr:
      return setAddresses(ring);
    case VhostRequest.SetVringBase:
      return setVringBase(ring);
    case VhostRequest.GetVringBase:
      return getVringBase(ring);
    default:
      return setEnabled(ring, windowWords[messageWindow][Place.Payload + 2] !== 0);
  }
}

/** Requests without a payload. */
function plainRequest(request: number): number {
  switch (request) {
    case VhostRequest.GetFeatures:
      return getFeatures();
    case VhostRequest.GetProtocolFeatures:
      answerMask(request, ProtocolFeature.OfferedLow, ProtocolFeature.OfferedHigh, 0, 0);
      return Refusal.None;
    case VhostRequest.GetQueueNum:
      answerMask(request, rings(), 0, 0, 0);
      return Refusal.None;
    case VhostRequest.GetStatus:
      return getStatus();
    case VhostRequest.ResetOwner:
    case VhostRequest.ResetDevice:
      resetRings();
      forgetPositions();
      return Refusal.None;
    default:
      // SET_OWNER: the connection says who owns the session.
      return Refusal.None;
  }
}

/** Bytes of payload a request must have, -1 = depends on its content, -2 = there is no such request. */
function payloadOf(request: number): number {
  switch (request) {
    case VhostRequest.GetFeatures:
    case VhostRequest.SetOwner:
    case VhostRequest.ResetOwner:
    case VhostRequest.GetProtocolFeatures:
    case VhostRequest.GetQueueNum:
    case VhostRequest.GetStatus:
    case VhostRequest.ResetDevice:
      return Sizes.Nothing;
    case VhostRequest.SetFeatures:
    case VhostRequest.SetProtocolFeatures:
    case VhostRequest.SetStatus:
    case VhostRequest.SetVringKick:
    case VhostRequest.SetVringCall:
    case VhostRequest.SetVringErr:
      return Sizes.Mask;
    case VhostRequest.SetMemTable:
    case VhostRequest.SetVringNum:
    case VhostRequest.SetVringAddr:
    case VhostRequest.SetVringBase:
    case VhostRequest.GetVringBase:
    case VhostRequest.SetVringEnable:
    case VhostRequest.GetConfig:
    case VhostRequest.SetConfig:
    case VhostRequest.GetInflightFd:
    case VhostRequest.SetInflightFd:
      return -1;
    default:
      return -2;
  }
}

/** Does what the message asks; `size` bytes of payload and `descriptors` descriptors came. Returns a Refusal. */
function dispatch(request: number, size: number, descriptors: number): number {
  const wanted = payloadOf(request);
  if (wanted === -2) {
    return Refusal.Request;
  }
  if (wanted >= 0 && size !== wanted) {
    return Refusal.Size;
  }
  switch (request) {
    case VhostRequest.SetVringKick:
    case VhostRequest.SetVringCall:
    case VhostRequest.SetVringErr:
      return setDescriptor(request, descriptors);
    case VhostRequest.SetMemTable:
      return size < Sizes.TableHeader ? Refusal.Size : setMemTable(size, descriptors);
    case VhostRequest.SetInflightFd:
      return setInflightFd(size, descriptors);
    default:
      break;
  }
  if (descriptors !== 0) {
    return Refusal.Descriptors;
  }
  if (wanted === Sizes.Nothing) {
    return plainRequest(request);
  }
  switch (request) {
    case VhostRequest.SetFeatures:
      return setFeatures();
    case VhostRequest.SetProtocolFeatures:
      return setProtocolFeatures();
    case VhostRequest.SetStatus:
      return setStatus();
    case VhostRequest.GetConfig:
      return size < Message.ConfigHeaderBytes ? Refusal.Size : getConfig(size);
    case VhostRequest.SetConfig:
      return size < Message.ConfigHeaderBytes ? Refusal.Size : setConfig(size);
    case VhostRequest.GetInflightFd:
      return getInflightFd(size);
    default:
      return ringRequest(request, size);
  }
}

/**
 * Handles the message that waits. A refused one is logged and answered with a failure where the front side asked for an
 * answer; where it did not, it could not know, and its connection ends. @rare
 */
export function handleMessage(): void {
  const memory = windowWords[messageWindow];
  const bytes = messageBytes();
  const request = memory[Place.In];
  const flags = memory[Place.In + 2];
  const size = bytes - Message.HeaderBytes;
  const descriptors = messageDescriptors();
  let refusal: number = Refusal.None;
  answered = 0;
  let hopeless = true;
  if (bytes > MessageWindow.Longest || memory[Place.In + 5] !== 0) {
    refusal = Refusal.Size;
  } else if ((flags & Message.VersionMask) !== Message.Version || (flags & Message.Reply) !== 0 || memory[Place.In + 3] !== 0) {
    refusal = Refusal.Flags;
  } else if (memory[Place.In + 1] !== 0) {
    refusal = Refusal.Request;
  } else if (descriptors > MachineLimit.Descriptors) {
    refusal = Refusal.Descriptors;
  } else {
    refusal = dispatch(request, size, descriptors);
    hopeless = false;
  }
  // Whatever was agreed on: a front side that connects again, such as QEMU 7.2 for I2C, may not negotiate again, and waits.
  const wantsReply = (flags & Message.NeedReply) !== 0;
  log(Log.VhostMessage, request & 4095);
  if (refusal !== Refusal.None) {
    log(Log.VhostRefused, (request & 4095) * 32 + refusal);
    if (hopeless || (!wantsReply && answered === 0)) {
      disconnect();
      return;
    }
  }
  if (wantsReply && answered === 0) {
    answerMask(request, refusal === Refusal.None ? 0 : 1, 0, 0, 0);
  }
}
