// A value that is somewhere else: not here yet, here, or not to be had.
import type { ApiError } from "./bindings";
import { asApiError } from "./ipc";

export type Remote<T> =
  | { state: "wait" }
  | { state: "data"; data: T }
  | { state: "error"; error: ApiError };

export const wait = { state: "wait" } as const;

/** Asks, and tells what came of it. */
export async function ask<T>(asked: Promise<T>): Promise<Remote<T>> {
  try {
    return { state: "data", data: await asked };
  } catch (reason) {
    return { state: "error", error: asApiError(reason) };
  }
}
