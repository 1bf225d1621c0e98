// Reads a table element once where its value cannot have changed since it was last read.
//
// Only for the bundle's own typed arrays, which nothing but its hot and set-up code writes, and for fixed tables, which nothing
// writes (which window has which words). What stands in a memory window is not touched: the driver writes it too, and each read
// there has its meaning.
import type { Expr, Local, Stmt } from './ir.js';
import { settle } from './substitute.js';

/** What a table can hold: numbers from `least` to `most` come back as they were written. */
export interface Range {
  readonly least: number;
  readonly most: number;
}

type Known = Map<string, Expr>;

/** A read that may be worth a variable. */
interface Site {
  readonly read: Expr;
  uses: number;
}

function complete(list: readonly Stmt[]): boolean {
  const last = list[list.length - 1];
  return last === undefined || !(last.k === 'break' || last.k === 'continue' || last.k === 'return' || (last.k === 'if' && !complete(last.a) && !complete(last.b) && last.b.length > 0));
}

/** `list` with repeated reads of `tables`, and of `fixed` ones that nothing writes, replaced by variables that `newLocal` makes. */
export function reuseReads(list: readonly Stmt[], tables: ReadonlyMap<string, Range>, fixed: ReadonlyMap<string, number>, newLocal: () => Local): Stmt[] {
  const isKept = (table: string): boolean => tables.has(table) || fixed.has(table);
  const sites = new Map<string, Site>();

  /** The key of an expression that gives the same value until something it names is written; undefined for others. */
  const keyOf = (e: Expr): string | undefined => {
    switch (e.t) {
      case 'number':
        return String(e.value);
      case 'local':
      case 'module':
        return `<${e.name}>`;
      case 'binary': {
        const a = keyOf(e.a);
        const b = keyOf(e.b);
        return a === undefined || b === undefined ? undefined : `(${a}${e.op}${b})`;
      }
      default:
        return undefined;
    }
  };
  const forget = (known: Known, name: string): void => {
    for (const [key, value] of known) {
      if (key.includes(`<${name}>`) || (value.t === 'local' && value.name === name)) {
        known.delete(key);
      }
    }
  };
  const note = (known: Known, key: string, value: Expr): void => {
    known.set(key, value);
  };

  /** `e` with known reads replaced; with `before`, reads that always happen become candidates, placed there. */
  const replace = (e: Expr, known: Known, before: Stmt[] | undefined, at: number): Expr => {
    switch (e.t) {
      case 'unary':
        return { ...e, a: replace(e.a, known, before, at) };
      case 'binary':
        return { ...e, a: replace(e.a, known, before, at), b: replace(e.b, known, before, at) };
      case 'logical':
        return { ...e, a: replace(e.a, known, before, at), b: replace(e.b, known, undefined, at) };
      case 'choice':
        return { ...e, test: replace(e.test, known, before, at), a: replace(e.a, known, undefined, at), b: replace(e.b, known, undefined, at) };
      case 'call':
        return { ...e, args: e.args.map((arg) => replace(arg, known, before, at)) };
      case 'element': {
        const index = replace(e.index, known, before, at);
        const read: Expr = { ...e, table: replace(e.table, known, before, at), index };
        const place = e.table.t === 'module' && isKept(e.table.name) ? keyOf(index) : undefined;
        if (place === undefined || e.table.t !== 'module') {
          return read;
        }
        const key = `${e.table.name}[${place}]`;
        const value = known.get(key);
        if (value !== undefined) {
          const site = value.t === 'local' ? sites.get(value.name) : undefined;
          if (site !== undefined) {
            site.uses += 1;
          }
          return value;
        }
        if (before === undefined) {
          return read;
        }
        const holder = newLocal();
        sites.set(holder.name, { read, uses: 0 });
        before.push({ at, k: 'set', target: holder, op: '=', value: read });
        note(known, key, holder);
        return holder;
      }
      default:
        return e;
    }
  };

  /** What `list` may write: names, tables, or everything. */
  const written = (statements: readonly Stmt[], names: Set<string>, elements: Set<string>): boolean => {
    let all = false;
    for (const s of statements) {
      if (s.k === 'set') {
        if (s.target.t !== 'element') {
          names.add(s.target.name);
        } else if (s.target.table.t === 'module') {
          elements.add(s.target.table.name);
        }
      } else if (s.k === 'call') {
        all = true;
        s.effects.writes.forEach((name) => names.add(name));
        if (s.target !== undefined) {
          names.add(s.target.name);
        }
      } else if (s.k === 'if') {
        all = written(s.a, names, elements) || all;
        all = written(s.b, names, elements) || all;
      } else if (s.k === 'loop') {
        all = written(s.body, names, elements) || all;
        all = written(s.update, names, elements) || all;
      }
    }
    return all;
  };
  /** Behind calls that write `names`: what stands in fixed tables is still known, unless the index is one of the names. */
  const forgetTables = (known: Known, names: ReadonlySet<string>): void => {
    for (const key of known.keys()) {
      if (!fixed.has(key.slice(0, key.indexOf('[')))) {
        known.delete(key);
      }
    }
    names.forEach((name) => forget(known, name));
  };
  const forgetTable = (known: Known, table: string): void => {
    for (const key of known.keys()) {
      if (key.startsWith(`${table}[`)) {
        known.delete(key);
      }
    }
  };

  const pass = (statements: readonly Stmt[], known: Known): Stmt[] => {
    const out: Stmt[] = [];
    for (const s of statements) {
      const { at } = s;
      switch (s.k) {
        case 'set': {
          const { target, op } = s;
          // The plain read of an element into a variable is its own holder.
          if (target.t === 'local' && op === '=' && s.value.t === 'element' && s.value.table.t === 'module' && isKept(s.value.table.name)) {
            const index = replace(s.value.index, known, out, at);
            const place = keyOf(index);
            const key = place === undefined ? undefined : `${s.value.table.name}[${place}]`;
            const value = key === undefined ? undefined : known.get(key);
            if (key !== undefined && value === undefined) {
              out.push({ ...s, value: { ...s.value, index } });
              forget(known, target.name);
              if (!key.includes(`<${target.name}>`)) {
                note(known, key, target);
              }
              break;
            }
          }
          if (target.t === 'element') {
            const index = replace(target.index, known, out, at);
            const table = target.table.t === 'module' ? target.table.name : '';
            const range = tables.get(table);
            const place = keyOf(index);
            if (range === undefined || place === undefined) {
              out.push({ ...s, target: { ...target, table: replace(target.table, known, out, at), index }, value: replace(s.value, known, out, at) });
              forgetTable(known, table);
              break;
            }
            const whole: Expr = op === '=' ? s.value : { t: 'binary', op: op.slice(0, -1), a: { ...target, index }, b: s.value };
            let value = replace(whole, known, out, at);
            const fits = comesBack(value, range);
            if (fits && value.t !== 'number' && value.t !== 'local') {
              const holder = newLocal();
              sites.set(holder.name, { read: value, uses: 0 });
              out.push({ at, k: 'set', target: holder, op: '=', value });
              value = holder;
            }
            out.push({ ...s, target: { ...target, index }, op: '=', value });
            forgetTable(known, table);
            if (fits) {
              note(known, `${table}[${place}]`, value);
            }
            break;
          }
          const value = replace(s.value, known, out, at);
          out.push({ ...s, value });
          forget(known, target.name);
          break;
        }
        case 'do':
          out.push({ ...s, value: replace(s.value, known, out, at) });
          break;
        case 'call':
          out.push({ ...s, callee: replace(s.callee, known, out, at), args: s.args.map((arg) => replace(arg, known, out, at)) });
          forgetTables(known, s.effects.writes);
          if (s.target !== undefined) {
            forget(known, s.target.name);
          }
          break;
        case 'return':
          out.push(s.value === undefined ? s : { ...s, value: replace(s.value, known, out, at) });
          break;
        case 'if': {
          const test = replace(s.test, known, out, at);
          const knownA = new Map(known);
          const knownB = new Map(known);
          const a = pass(s.a, knownA);
          const b = pass(s.b, knownB);
          out.push({ ...s, test, a, b });
          known.clear();
          const [from, also] = !complete(s.a) ? [knownB, knownB] : !complete(s.b) ? [knownA, knownA] : [knownA, knownB];
          for (const [key, value] of from) {
            if (same(also.get(key), value)) {
              known.set(key, value);
            }
          }
          break;
        }
        case 'loop': {
          const names = new Set<string>();
          const elements = new Set<string>();
          if (written([s], names, elements)) {
            forgetTables(known, names);
          } else {
            names.forEach((name) => forget(known, name));
          }
          elements.forEach((table) => forgetTable(known, table));
          const test = s.test === undefined ? undefined : replace(s.test, known, undefined, at);
          const body = pass(s.body, new Map(known));
          const inUpdate = new Map(known);
          const update = s.update.map((part): Stmt => (part.k === 'set' ? { ...part, value: replace(part.value, inUpdate, undefined, at) } : part));
          out.push({ ...s, test, body, update });
          break;
        }
        default:
          out.push(s);
          break;
      }
    }
    return out;
  };

  const passed = pass(list, new Map());
  return settle(passed, (name) => {
    const site = sites.get(name);
    return site !== undefined && site.uses === 0 ? site.read : undefined;
  });
}

/** True when a table with this range gives back what was written: every hot number has 28 bits. */
function comesBack(value: Expr, range: Range): boolean {
  switch (value.t) {
    case 'number':
      return value.value >= range.least && value.value <= range.most;
    case 'binary':
      return (value.op === '&' && value.b.t === 'number' && value.b.value >= 0 && value.b.value <= range.most) || (isArithmetic(value.op) && range.most >= 0x7fffffff);
    case 'choice':
      return comesBack(value.a, range) && comesBack(value.b, range);
    case 'local':
    case 'element':
      return range.most >= 0x7fffffff;
    default:
      return false;
  }
}

function isArithmetic(op: string): boolean {
  return !['===', '!==', '<', '>', '<=', '>='].includes(op);
}

function same(one: Expr | undefined, other: Expr): boolean {
  return one !== undefined && one.t === other.t && (one.t === 'local' ? one.name === (other as Local).name : one.t === 'number' && one.value === (other as { value: number }).value);
}
