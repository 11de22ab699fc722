// What the demonstration remembers, and how its subjects answer.
import { emit } from "@tauri-apps/api/event";
import type {
  AddressView,
  ApiError,
  AppView,
  ConnectAttempt,
  ErrorCode,
  HandOff,
  Notice,
  Theme,
} from "../bindings";
import * as data from "./data";
import { handOff } from "./maps";

/** Arguments arrive as the shell would get them: by name and unchecked. */
export type Commands = Record<string, (args: any) => unknown>;

/** What every subject knows of. */
export interface World {
  params: URLSearchParams;
  app: AppView;
  all: AddressView[];
  /** The connection being made. */
  attempt: ConnectAttempt | null;
  handOffs: HandOff[];
  /** The addresses whose sending was proved. */
  proved: Set<number>;
  /** The exercises that are broken on purpose. */
  onPurpose: string[];
}

export const tell = (notice: Notice) => void emit("notice", notice);

export function problem(
  code: ErrorCode,
  args: ApiError["args"] = {},
  message = "The demonstration has nothing here.",
): ApiError {
  return { code, message, args, evidence: null };
}

export function find(world: World, id: number): AddressView {
  const one = world.all.find((each) => each.id === id);
  if (!one) throw problem("not_found");
  return one;
}

/** Changes an address and tells it. */
export function change(
  world: World,
  id: number,
  values: Partial<AddressView>,
): null {
  tell({ kind: "address", value: Object.assign(find(world, id), values) });
  return null;
}

/** The world on the day that the parameters ask for. */
export function worldOf(params: URLSearchParams): World {
  const day = params.get("demo");
  const all = day === "first" ? [] : data.addresses();
  if (day === "offline")
    for (const one of all)
      Object.assign(one, {
        status: "offline",
        cause: {
          code: "offline",
          severity: "warning",
          args: {},
          evidence: null,
        },
      });
  const handOffs = all
    .filter((one) => one.status === "waiting_for_approval")
    .map((one) => handOff(one.id, one.address, one.id));
  if (params.has("waiting"))
    handOffs.push(handOff(90, "neu@nordwind.example", null));
  return {
    params,
    all,
    attempt: null,
    handOffs,
    proved: new Set(),
    onPurpose: params.has("broken") ? ["admin-approval"] : [],
    app: {
      version: "0.1.0",
      data_dir: "/home/alex/.local/share/mailroom",
      polling: day === "elsewhere" ? "elsewhere" : "here",
      has_own_registration: false,
      sandbox: all.some((one) => one.sandbox) ? data.sandbox : null,
      settings: {
        language: params.get("lang"),
        theme: (params.get("theme") as Theme | null) ?? "system",
        notifications: true,
        keep_in_tray: false,
        alert_after_min: 30,
        failure_list: "",
        quiet_from: null,
        quiet_to: null,
      },
    },
  };
}
