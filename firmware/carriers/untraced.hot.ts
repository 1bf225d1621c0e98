// What `#trace` names unless a bundle is made with tracing: nothing, and the bundler drops the calls.

export const traced: boolean = false;

/**
 * Shows one queue element: `bytes` bytes from `offset` of `window`; `direction` 1 = the driver side sent it, 0 = this side.
 * A target that can trace has this function in its trace.hot.ts.
 */
export function traceElement(_direction: number, _window: number, _offset: number, _bytes: number): void {
  return;
}
