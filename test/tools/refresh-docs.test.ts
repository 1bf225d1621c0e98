// Outputs in the documents: found by their marker, replaced by what the command prints, and those that cost nothing are checked.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { asShown, commandsIn, refreshed } from '../../tools/commands/refresh-docs.js';
import { packageRoot } from '../../tools/targets.js';

const page = 'before\n<!-- output: vmsg sim --limit 3 -->\n```\nold\n```\nbetween\n<!-- output: vmsg bench (shortened) -->\n```\nold\n```\nbehind\n';

test('every marked block is replaced by the output of its command, and nothing else changes', () => {
  assert.deepEqual(commandsIn(page), ['sim --limit 3', 'bench']);
  const ran: string[] = [];
  const result = refreshed(page, (commandLine) => {
    ran.push(commandLine);
    return `link x\n${commandLine}\n`;
  });
  assert.deepEqual(ran, ['sim --limit 3', 'bench']);
  assert.equal(result, page.replace('old', 'sim --limit 3').replace('old', 'bench'));
});

test('a shortened output keeps its ends and says that its middle is missing', () => {
  const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`);
  const short = asShown(`${lines.join('\n')}\n`, true).trimEnd().split('\n');
  assert.equal(short[0], 'line 0');
  assert.equal(short[short.length - 1], 'line 99');
  assert.equal(short.filter((line) => line === '  ...').length, 1);
  assert.equal(asShown('one\ntwo\n', true), 'one\ntwo\n');
});

test('documents hold no placeholder, and the help they show is the help of the command', () => {
  const docs = path.join(packageRoot, 'docs');
  const files = [path.join(packageRoot, 'README.md'), ...readdirSync(docs).filter((name) => name.endsWith('.md')).map((name) => path.join(docs, name))];
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    assert.doesNotMatch(text, /@@/, file);
    const helps = refreshed(text, (commandLine) => {
      if (!commandLine.endsWith('--help')) {
        return '';
      }
      return spawnSync(process.execPath, [path.join(packageRoot, 'tools', 'vmsg.mjs'), ...commandLine.split(' ')], { encoding: 'utf8' }).stdout;
    });
    const helpBlocks = (all: string): string[] => [...all.matchAll(/<!-- output: vmsg [^\n]*--help -->\n```\n([^]*?)```/g)].map((match) => match[1] as string);
    assert.deepEqual(helpBlocks(text), helpBlocks(helps), `${file} shows an older help: run vmsg refresh-docs`);
  }
});
