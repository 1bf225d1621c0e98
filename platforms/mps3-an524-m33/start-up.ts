// The AN524's windows and layout from board.json: what port.ts offers, made once.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { memory } from '../engine/natives.js';
import { windows as boardWindows, layouts as boardLayouts } from './board.json';

export const windows: readonly WindowDescription[] = boardWindows;
export const layouts: readonly LayoutPlace[] = boardLayouts;
export const windowWords: readonly Uint16Array[] = boardWindows.map((_window, index) => new Uint16Array(memory(index)));
