// What is broken on purpose in the practice tenant, and what of it somebody has mended since the window opened.
import type { ApiError, ConnectionMap } from "./bindings";
import * as ipc from "./ipc";
import { ask } from "./remote";

class Practising {
  /** The names of what is broken now. */
  broken = $state<string[]>([]);
  /** Whether the map of a practice mailbox has shown it. */
  seen = $state(false);
  /** Grows when the maps of practice mailboxes should be looked at again. */
  round = $state(0);
  /** What was mended. */
  mended = $state<string[]>([]);

  /** Looks what is broken now. What was mended meanwhile is polled at once: nobody waits for the next time. */
  async look(): Promise<void> {
    const got = await ask(ipc.exercisesOn());
    if (got.state !== "data") return;
    const over = this.broken.some((name) => !got.data.includes(name));
    if (got.data.join() !== this.broken.join()) this.broken = got.data;
    if (!over) return;
    await ask(ipc.pollPractice());
    this.round += 1;
  }

  /** Breaks one thing; gives what went wrong, if anything did. */
  async begin(name: string): Promise<ApiError | null> {
    this.seen = false;
    this.mended = this.mended.filter((one) => one !== name);
    return this.#after(ipc.beginExercise(name), [name]);
  }

  /** Brings everything back. */
  end(): Promise<ApiError | null> {
    return this.#after(ipc.endExercise(), []);
  }

  async #after(work: Promise<void>, broken: string[]) {
    const got = await ask(work);
    if (got.state === "error") return got.error;
    this.broken = broken;
    this.round += 1;
    return null;
  }
}

export const practising = new Practising();

/** Whether mail gets as far as it should: everything up to fetching was looked at, and nothing wants a look. */
export const isWell = (map: ConnectionMap | undefined): boolean =>
  map !== undefined &&
  map.stations.every(
    ({ station, state }) =>
      state !== "failed" &&
      state !== "warning" &&
      state !== "blocked" &&
      (station !== "fetch" || state !== "unknown"),
  );

/** Whether the map shows trouble. */
export const isUnwell = (map: ConnectionMap | undefined): boolean =>
  map?.stations.some(
    ({ state }) => state === "failed" || state === "warning",
  ) ?? false;
