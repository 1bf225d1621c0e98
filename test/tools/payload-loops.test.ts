// No byte of a payload passes through JavaScript: every loop of a hot file that touches window memory is known here, with what
// bounds it. A new one has to be justified in this table, or moved into the port's copy and fill.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';
import { packageRoot } from '../../tools/targets.js';

/** What each loop goes over; none of it is payload. */
const known: Readonly<Record<string, string>> = {
  'bus/bus-messages getDevices': 'the bitmap of device numbers in one message',
  'carriers/amp-notify restartWords': 'the notification words of a bus',
  'devices/can serveReceive': 'the head of each waiting frame',
  'devices/can serveControl': 'the type of each request',
  'devices/console serveControlTransmit': 'the fields of each control message',
  'devices/i2c-chips readSensor': 'the registers of a simulated chip',
  'devices/input showInputConfig': 'a property of the configuration space, 128 bytes at most',
  'devices/network isOwnAddress': 'a MAC address',
  'devices/network setAddress': 'a MAC address',
  'devices/network serveReceive': 'the length of each waiting frame',
  'devices/network serveMergeable': 'the length of each waiting frame',
  'devices/network releaseHeld': 'what is noted of each held buffer',
  'devices/rtc putTime': 'the words of a time',
  'devices/rtc tellAlarms': 'the fields of each alarm',
  'devices/scmi-base putIdentifier': 'an identifier of 16 bytes',
  'devices/scmi serveEvents': 'the length of each waiting event',
  'serving/keep freeRow': 'the rows of kept chains',
  'serving/keep keep': 'the elements of a chain',
  'serving/keep recall': 'the elements of a chain',
  'serving/keep dropKept': 'the rows of kept chains',
  'serving/request clearResponse': 'a response header',
  'transport/config-space copyConfig': 'a part of the configuration space in one message',
  'transport/config setConfig': 'a part of the configuration space in one message',
  'transport/features getDeviceFeatures': 'feature blocks',
  'transport/features setDriverFeatures': 'feature blocks',
  'transport/info getDeviceInfo': 'a UUID',
  'transport/queues getVqueue': 'the addresses of a queue',
  'transport/shared-memory getShm': 'the address of a region',
  'carriers/vhost-user/inflight stamp': 'the halves of a counter',
  'carriers/vhost-user/inflight endBatch': 'the chains given back in one batch',
  'carriers/vhost-user/inflight copyList': 'the descriptors of a list',
  'carriers/vhost-user/inflight noteUsedPosition': 'the chains given back in one batch',
  'carriers/vhost-user/inflight-region beginRecord': 'the entries of a ring that begins',
  'carriers/vhost-user/inflight-region precedes': 'the halves of a counter',
  'carriers/vhost-user/inflight-region countOn': 'the halves of a counter',
  'carriers/vhost-user/inflight-region resumeSplit': 'the entries of a ring that begins',
  'carriers/vhost-user/inflight-region walkFree': 'the entries of a ring that begins',
  'carriers/vhost-user/inflight-region walkLists': 'the entries of a ring that begins',
  'carriers/vhost-user/inflight-region putBack': 'the halves of an address',
  'carriers/vhost-user/messages setFeatures': 'feature words',
  'carriers/vhost-user/messages getConfig': 'a part of the configuration space in one message',
  'carriers/vhost-user/regions wraps': 'the words of an address',
  'carriers/vhost-user/regions takeRegions': 'the table of memory regions in one message',
  'carriers/vhost-user/rings setAddresses': 'the addresses of a queue',
  'virtqueue/queue stageAreas': 'the addresses of a queue',
};

const isLoop = (node: ts.Node): boolean => ts.isForStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node);

/** The functions of a source whose loops read or write single words or bytes of a window, by name. */
function loopsOverWindows(text: string): string[] {
  const source = ts.createSourceFile('source.hot.ts', text, ts.ScriptTarget.ES2022, true);
  return source.statements.filter(ts.isFunctionDeclaration).flatMap((fn) => {
    const names = new Set<string>();
    const isWindow = (node: ts.Node): boolean =>
      (ts.isIdentifier(node) && names.has(node.text)) || (ts.isElementAccessExpression(node) && node.expression.getText() === 'windowWords');
    const collect = (node: ts.Node): void => {
      if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined && isWindow(node.initializer)) {
        names.add(node.name.text);
      }
      ts.forEachChild(node, collect);
    };
    collect(fn);
    const touches = (node: ts.Node, inLoop: boolean): boolean => {
      const word = ts.isElementAccessExpression(node) && isWindow(node.expression);
      const byte = ts.isCallExpression(node) && /^(privateByte|setPrivateByte)$/.test(node.expression.getText());
      return (inLoop && (word || byte)) || ts.forEachChild(node, (child) => touches(child, inLoop || isLoop(node)) || undefined) === true;
    };
    return touches(fn, false) ? [fn.name?.text ?? ''] : [];
  });
}

test('no hot file loops over a payload: every loop that touches window memory is known and bounded by something else', () => {
  const root = path.join(packageRoot, 'firmware');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.hot.ts'));
  assert.ok(files.length > 60);
  const found = files.flatMap((file) =>
    loopsOverWindows(readFileSync(path.join(root, file), 'utf8')).map((name) => `${file.replace(/\.hot\.ts$/, '').split(path.sep).join('/')} ${name}`),
  );
  assert.deepEqual(found.filter((loop) => known[loop] === undefined), [], 'loops that nobody has explained');
  assert.deepEqual(Object.keys(known).filter((loop) => !found.includes(loop)), [], 'explanations of loops that are gone');
});

test('a loop over bytes or words of a window is found, under another name too, and one over a table is not', () => {
  assert.deepEqual(
    loopsOverWindows(`
      export function words(window: number, at: number): void { const memory = windowWords[window]; for (let i = 0; i < 4; i++) { memory[at + i] = 0; } }
      export function direct(): number { let sum = 0; while (sum < 9) { sum += windowWords[0][sum]; } return sum; }
      export function bytes(): void { for (let i = 0; i < 4; i++) { setPrivateByte(i, privateByte(i + 4)); } }
      export function table(): void { for (let i = 0; i < 4; i++) { counts[i] = 0; } windowWords[0][3] = 1; }
    `),
    ['words', 'direct', 'bytes'],
  );
});
