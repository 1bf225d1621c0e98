// The suite against devices with one planted fault each: the requirement that the fault breaks must be reported by its cases.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cases } from './cases/index.js';
import type { Mode } from './runner/suite.js';
import type { Profile } from './runner/vocabulary.js';
import { notifiedCasesOf } from './runner/ways.js';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

/** Requirement, profile, file below firmware/, a place that occurs once in it, and what stands there instead. */
const mutants: readonly (readonly [string, Profile, string, string, string])[] = [
  // Elements have the size of the largest message, so either test makes up for the other.
  ['R-003', 'A', 'bus/bus.hot.ts', 'size > bytes || size > limit', 'false'],
  ['R-007', 'A', 'bus/bus.hot.ts', 'memory[answer] = type |', 'memory[answer] = (typeAndId & 255) |'],
  ['R-010', 'A', 'bus/bus.hot.ts', 'if (type === 0) {', 'if (type === 0 || (type === 2 && number !== 0)) {'],
  ['R-011', 'A', 'bus/bus.hot.ts', 'number === 0 ? busMessage(bus, id) : discard(Discard.BusNumber)', 'busMessage(bus, id)'],
  ['R-014', 'A', 'bus/bus.hot.ts', 'if (number < Capacity.DirectNumbers)', 'if (number === 0) {\n    return -1;\n  }\n  if (number < Capacity.DirectNumbers)'],
  ['R-016', 'A', 'bus/bus.hot.ts', 'if (type === 0) {', 'if ((type & 2) === 0) {'],
  ['R-031', 'A', 'bus/send.hot.ts', 'memory[at] = eventId(entry) << 8;', 'memory[at] = 1 | (eventId(entry) << 8);'],
  ['R-034', 'A', 'bus/send.hot.ts', 'fill(window, at * 2, slotBytes[bus], 0);', 'fill(window, at * 2, header + 4, 0);'],
  ['R-091', 'A', 'transport/info.hot.ts', 'featureBlocks[device] * 32', 'featureBlocks[device] * 64'],
  ['R-102', 'A', 'transport/features.hot.ts', 'const first = firstHigh === 0 ? firstLow : 65536;\n  memory', 'const first = firstLow;\n  memory'],
  ['R-106', 'A', 'transport/features.hot.ts', 'const to = featureAt[device] + (first + block) * 2;', 'const to = featureAt[device] + block * 2;'],
  ['R-114', 'A', 'transport/features.hot.ts', 'if ((deviceStatus[device] & Status.FeaturesOk) !== 0 || deviceWait', 'if (deviceWait'],
  ['R-142', 'A', 'transport/status.hot.ts', 'let status = deviceStatus[device] | (value &', 'let status = 0 | (value &'],
  ['R-143', 'A', 'transport/status.hot.ts', 'Status.Driver | Status.Failed)', 'Status.Driver | Status.Failed | Status.NeedsReset)'],
  ['R-146', 'A', 'transport/needs-reset.hot.ts', 'deviceStatus[device] !== 0 &&', '(deviceStatus[device] & Status.DriverOk) !== 0 &&'],
  ['R-147', 'A', 'transport/needs-reset.hot.ts', 'queueState[first + index] = QueueState.Broken;', ''],
  ['R-149', 'A', 'transport/status.hot.ts', '(value & Status.DriverOk) !== 0 && (status & Status.FeaturesOk) !== 0', '(value & Status.DriverOk) !== 0'],
  ['R-152', 'A', 'transport/status.hot.ts', 'is allowed (R-152).\n    announceAll(device);', ''],
  ['R-153', 'A', 'transport/queues.hot.ts', '    kick(queue);\n', ''],
  ['R-160', 'C', 'transport/status.hot.ts', '} else if (deviceWait[device] !== Wait.Reset) {', '} else {'],
  ['R-163', 'A', 'virtqueue/queue.hot.ts', 'queueEpoch[queue] === epoch && ', ''],
  ['R-166', 'A', 'transport/config.hot.ts', '(deviceStatus[device] & Status.Suspend) === 0 &&', ''],
  ['R-169', 'A', 'transport/status.hot.ts', '(value & Status.Suspend) !== 0 && hasFeature(device, Feature.Suspend)', '(value & Status.Suspend) !== 0'],
  ['R-181', 'A', 'transport/config.hot.ts', 'length > answerRoom - 12)', 'length > answerRoom - 12 || (deviceStatus[device] & Status.FeaturesOk) === 0)'],
  ['R-187', 'B', 'transport/config.hot.ts', 'countShown[deviceBus[device]] !== 0', 'true'],
  ['R-188', 'A', 'transport/config.hot.ts', '(strictConfig[deviceBus[device]] === 0 ||', '(true ||'],
  ['R-195', 'A', 'transport/config.hot.ts', 'let applied = 0;', 'let applied = length === 0 ? 1 : 0;'],
  ['R-210', 'C', 'wire/profile.ts', 'bus: thirdBusPayloads, rules: 0', 'bus: thirdBusPayloads, rules: Rule.EventLength'],
  ['R-220', 'A', 'transport/queues.hot.ts', 'index < queueCount[device]', 'index <= queueCount[device]'],
  ['R-232', 'C', 'transport/queues.hot.ts', '(flags & QueueFlag.Operation) > QueueFlag.Keep', 'false'],
  ['R-237', 'A', 'transport/queues.hot.ts', ' || queueState[queue] !== QueueState.Disabled) {\n    return 0', ') {\n    return 0'],
  ['R-237', 'C', 'transport/queues.hot.ts', ' || queueState[queue] !== QueueState.Disabled) {\n    return 0', ') {\n    return 0'],
  ['R-242', 'A', 'virtqueue/queue.hot.ts', 'queueState[queue] = QueueState.Disabled;\n  queueSize[queue] = 0;', 'queueState[queue] = QueueState.Disabled;'],
  ['R-246', 'A', 'virtqueue/split.hot.ts', '  nextAvailable[queue] = 0;\n', ''],
  ['R-250', 'A', 'transport/queues.hot.ts', '= queueMaximum[queue];', '= queueSize[queue] !== 0 ? queueSize[queue] : queueMaximum[queue];'],
  ['R-260', 'A', 'transport/available.hot.ts', '  kick(queue);\n', ''],
  ['R-291', 'A', 'bus/bus-messages.hot.ts', 'wholeBytes && ((offset | count) & 7) !== 0', 'false'],
  ['R-296', 'A', 'bus/bus-messages.hot.ts', 'memory[answerAt + nextWord[bus]] = next;', ''],
  ['R-318', 'A', 'wire/profile.ts', 'Rule.EventOffset | Rule.AnswersRemoved', 'Rule.EventOffset'],
  ['R-364', 'A', 'virtqueue/ring-error.hot.ts', 'queueState[queue] = QueueState.Broken;', ''],
];

/** A way to announce buffers, a place that occurs once in carriers/amp-notify.hot.ts, and what stands there instead. */
const lost: readonly (readonly [string, string, string])[] = [
  ['doorbell', '      due = true;\n    } else {', '      due = false;\n    } else {'],
  ['doorbell', '        announceAll(device);\n', ''],
  ['direct words', 'memory[deviceWordsAt[bus] + chunk] = sent[row];', ''],
  ['direct words with masks', 'announceQueue(device, firstQueue[device] + index);', ''],
  ['cascaded words', 'return flip(bus, word) && wanted;', 'return wanted;'],
  ['cascaded words with masks', 'takeDeviceWord(bus, found);', ''],
];

interface Outcome {
  readonly out: string;
  readonly error: string;
}

function run(mode: Mode, indices: readonly number[], mutant: object): Promise<Outcome> {
  const imports = ['--import', './test/support/mutant/register.mjs', '--import', 'tsx'];
  const args = ['--conditions=fake', ...imports, 'test/conformance/run-sources.ts', JSON.stringify(mode), indices.join(',')];
  const env = { ...process.env, VMSG_MUTANT: JSON.stringify(mutant) };
  // The limit only ends a mutant that never comes to rest.
  return new Promise((resolve) => execFile(process.execPath, args, { cwd: root, env, timeout: 120000 }, (_error, out, error) => resolve({ out, error })));
}

mutants.forEach(([requirement, profile, file, from, to]) => {
  test(`a fault against ${requirement} in ${file}, profile ${profile}, is reported`, async () => {
    const indices = cases.flatMap((one, index) => (one.proves.includes(requirement) && (one.profiles ?? 'ABC').includes(profile) ? [index] : []));
    assert.ok(indices.length > 0);
    const { out, error } = await run({ profile, strict: profile === 'A' }, indices, { file: `firmware/${file}`, from, to });
    assert.match(out, /^not ok /m, `no case for ${requirement} failed: ${out}${error}`);
  });
});

lost.forEach(([notifications, from, to]) => {
  test(`a lost notification is reported, ${notifications}: ${from.trim()}`, async () => {
    const mode: Mode = { profile: 'C', strict: false, notifications };
    const { out, error } = await run(mode, notifiedCasesOf(cases, mode), { file: 'firmware/carriers/amp-notify.hot.ts', from, to });
    assert.match(out, /^not ok /m, `no case failed: ${out}${error}`);
  });
});
