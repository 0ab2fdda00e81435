import { shortened } from "./reasons.js";

/**
 * Runs code of the user that nobody waits for. `failed` is called once with what it throws, at once or later: it may return a promise,
 * or anything that has `then`.
 */
export function guarded(code: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = code();
    if ((typeof result === "object" && result !== null) || typeof result === "function") Promise.resolve(result).catch(failed);
  } catch (error) {
    failed(error);
  }
}

/** A text about a thrown value, and its place. It never throws, although the value's getters and traps may. */
export function told(error: unknown): { readonly said: string; readonly detail?: string } {
  try {
    if (!(error instanceof Error)) return { said: `a value of the type ${typeof error}` };
    const { name, message, stack }: { name: unknown; message: unknown; stack?: unknown } = error;
    const kind = typeof name === "string" ? shortened(name) : "an error without a name";
    const said = typeof message === "string" ? `${kind}: ${shortened(message)}` : kind;
    return typeof stack === "string" ? { said, detail: stack } : { said };
  } catch {
    return { said: "something that cannot be read" };
  }
}
