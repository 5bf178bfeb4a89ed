/**
 * Lets a call through at most every `milliseconds` and drops those between: for progress, which the page would otherwise
 * be told more often than it can draw.
 */
export function throttle<A extends unknown[]>(send: (...args: A) => void, milliseconds = 100): (...args: A) => void {
  let last = -Infinity;
  return (...args) => {
    const now = performance.now();
    if (now - last < milliseconds) return;
    last = now;
    send(...args);
  };
}
