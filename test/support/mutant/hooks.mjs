// The module hook that changes one place of one file as it is read; tsx, registered after it, makes JavaScript of the text.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const { file, from, to } = JSON.parse(process.env.VMSG_MUTANT);
const changed = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..', file);

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  const { protocol, pathname } = new URL(url);
  if (protocol !== 'file:' || fileURLToPath(`file://${pathname}`) !== changed) {
    return loaded;
  }
  const parts = loaded.source.toString().split(from);
  if (parts.length !== 2) {
    throw new Error(`${file} has ${parts.length - 1} places with '${from}', not one`);
  }
  return { ...loaded, source: parts.join(to) };
}
