// The module hook that instruments hot files before Node runs them; tsx handles every other file.
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
/** Every test file is a process of its own, and loading the compiler costs each of them half a second. */
const cache = path.resolve(here, '../../../node_modules/.cache/hot-check');
const instrumentation = await readFile(path.join(here, 'instrument.mjs'));

/** The instrumented text of a file, from the cache when neither the file nor the instrumentation has changed. */
async function instrumented(file) {
  const text = await readFile(file, 'utf8');
  const name = path.relative(process.cwd(), file);
  const cached = path.join(cache, `${createHash('sha256').update(instrumentation).update('\0').update(name).update('\0').update(text).digest('hex')}.mjs`);
  try {
    return await readFile(cached, 'utf8');
  } catch {
    const { instrument } = await import('./instrument.mjs');
    const source = instrument(text, name);
    await mkdir(cache, { recursive: true });
    const own = `${cached}.${process.pid}`;
    await writeFile(own, source);
    await rename(own, cached);
    return source;
  }
}

export async function load(url, context, nextLoad) {
  const { protocol, pathname } = new URL(url);
  if (protocol !== 'file:' || !pathname.endsWith('.hot.ts')) {
    return nextLoad(url, context);
  }
  return { format: 'module', shortCircuit: true, source: await instrumented(fileURLToPath(`file://${pathname}`)) };
}
