// A lint rule: a file imports only through the doors of its room (docs/architecture.md).
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** What tests of other rooms may use of tools: to bundle, to build and to run. */
const toolsForTests = /^tools\/(bundle\/bundle|emulator\/(emulated-core|emulator|qemu|scene|summary|trace)|engines\/(duktape|jerryscript)|host-process\/runner|support\/record|image\/(board|image)|targets|user-error)$/;

/**
 * The rooms, first match wins. `may` holds what its files import: paths from the package's root without extension, `#` names
 * of package.json, and 'package' for npm's and Node's. `$1` is what the room's own pattern caught.
 */
const rooms = [
  { name: 'hal/port.ts', files: /^hal\/port\.ts$/, may: [] },
  { name: 'hal', files: /^hal\//, may: ['^hal/', '^#registers$'] },
  { name: 'firmware', files: /^firmware\//, may: ['^firmware/', '^hal/(port|vhost-user)$', '^#(port|carrier|carrier-start|descriptors|tables|vhost-user|trace|inflight)$'] },
  { name: 'platforms/engine', files: /^platforms\/engine\//, may: ['^platforms/engine/', '^hal/'] },
  { name: 'a platform', files: /^platforms\/([^/]+)\//, may: ['^platforms/$1/', '^platforms/(engine|k3|mhu-pair)/', '^platforms/[^/]+$', '^hal/', '^firmware/main$', '^#registers$'] },
  { name: 'platforms', files: /^platforms\/[^/]+$/, may: ['^platforms/[^/]+$', '^hal/'] },
  { name: 'tools', files: /^tools\//, may: [''] },
  { name: 'test/tools', files: /^test\/tools\//, may: [''] },
  { name: 'test', files: /^test\//, may: ['^(?!tools/)', toolsForTests.source] },
  { name: 'the package', files: /^[^/]+$/, may: ['^package$', '^tools/lint/'] },
  { name: 'this folder', files: /^/, may: ['^(?!tools/)'] },
];

/** Hot files have narrower doors, in whichever room. */
const hotDoors = ['\\.hot$', '^firmware/wire/', '^firmware/capacity$', '^hal/(port|vhost-user)$', '^#(port|carrier|descriptors|tables|vhost-user|registers|trace|inflight)$'];

/** The names under which users' apps import this package. */
const ownNames = { 'virtio-msg-device': 'firmware/main', 'virtio-msg-device/device': 'firmware/device.hot', 'virtio-msg-device/testing': 'test/support/device-bench' };

/** What an import specifier names, seen from `file`. */
function destination(specifier, file) {
  if (specifier.startsWith('.')) {
    const absolute = path.resolve(path.dirname(file), specifier);
    return path.relative(root, absolute).split(path.sep).join('/').replace(/\.(js|ts|mjs|json)$/, '');
  }
  return ownNames[specifier] ?? (specifier.startsWith('#') ? specifier : 'package');
}

export const doors = {
  meta: { type: 'problem', schema: [], docs: { description: 'Imports go through the doors between the rooms.' } },
  create(context) {
    const file = context.filename;
    const own = path.relative(root, file).split(path.sep).join('/');
    const room = rooms.find(({ files }) => files.test(own));
    const caught = room.files.exec(own)[1] ?? '';
    const open = room.may.map((pattern) => new RegExp(pattern.replace('$1', caught)));
    const hotOpen = hotDoors.map((pattern) => new RegExp(pattern));
    const isHot = own.endsWith('.hot.ts');

    const check = (node) => {
      const source = node?.source ?? node;
      if (typeof source?.value !== 'string') {
        return;
      }
      const to = destination(source.value, file);
      if (!open.some((pattern) => pattern.test(to))) {
        context.report({ node: source, message: `Doors: ${room.name} does not import ${to === 'package' ? 'packages' : to}.` });
      } else if (isHot && !hotOpen.some((pattern) => pattern.test(to))) {
        context.report({ node: source, message: `Doors: hot files import only hot files, firmware/wire, firmware/capacity, the types of hal, #port, #carrier, #descriptors, #tables, #vhost-user, #registers, #trace and #inflight, not ${to}.` });
      }
    };
    return { ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check, ImportExpression: check };
  },
};
