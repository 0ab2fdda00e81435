type Callback = () => void;

const watched = new WeakMap<AbortSignal, Set<Callback>>();

/**
 * Calls back when the signal is aborted, unless the function that is returned was called before. A signal gets one listener,
 * however many sends share it: from the 11th on Node would warn of a leak.
 */
export function onceAborted(signal: AbortSignal, callback: Callback): Callback {
  const callbacks = watched.get(signal) ?? watch(signal);
  callbacks.add(callback);
  return () => callbacks.delete(callback);
}

function watch(signal: AbortSignal): Set<Callback> {
  const callbacks = new Set<Callback>();
  watched.set(signal, callbacks);
  const tell = () => {
    for (const callback of [...callbacks]) callback();
  };
  signal.addEventListener("abort", tell, { once: true });
  return callbacks;
}
