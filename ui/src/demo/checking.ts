// Connections looked at, and what was asked of others.
import type {
  AddressView,
  HandOffFor,
  MailHandOff,
  Station,
} from "../bindings";
import * as maps from "./maps";
import { find, problem, tell, type Commands, type World } from "./world";

export function checking(world: World): Commands {
  const { params, handOffs, proved } = world;

  const mapOf = (one: AddressView, seen?: number) => {
    const wanted = params.get("map") as Station | "healthy" | null;
    const broken = one.sandbox
      ? world.onPurpose.length > 0
      : ["failed", "waiting_for_approval"].includes(one.status);
    const stop = wanted === "healthy" ? null : wanted;
    return maps.mapOf(
      one.address,
      wanted && !one.sandbox ? stop : broken ? "consent" : null,
      proved.has(one.id),
      seen,
    );
  };

  // Station after station, as the core tells them.
  const looking = async (id: number) => {
    const one = find(world, id);
    if (!params.has("still"))
      for (let seen = 0; seen <= 13; seen++) {
        await new Promise((done) => setTimeout(done, 120));
        tell({ kind: "check", value: { id, map: mapOf(one, seen) } });
      }
    return mapOf(one);
  };

  const asked = (whom: HandOffFor, code: string) => {
    const address =
      whom.kind === "address"
        ? find(world, whom.id).address
        : world.attempt?.address;
    const found = handOffs.find((each) => each.address === address);
    if (found) return found;
    const made = {
      ...maps.handOff(
        90 + handOffs.length,
        address ?? "",
        whom.kind === "address" ? whom.id : null,
        code,
      ),
      asked_at: Date.now(),
    };
    handOffs.push(made);
    return made;
  };

  return {
    check_address: ({ id }: { id: number }) => looking(id),
    prove_sending: ({ id }: { id: number }) => {
      proved.add(id);
      return mapOf(find(world, id));
    },
    list_hand_offs: () => handOffs,
    hand_off: ({ whom, code }: { whom: HandOffFor; code: string }) =>
      asked(whom, code),
    recheck_hand_off: ({ id }: { id: number }) =>
      handOffs.find((each) => each.id === id),
    approve_here: () => ({
      url: "https://login.microsoftonline.com/",
      browser_opened: true,
    }),
    hand_off_senders: () =>
      world.all
        .filter((one) => one.status === "verified")
        .map(({ id, address }) => ({ id, address })),
    mail_hand_off: ({ mail }: { mail: MailHandOff }) => {
      const one = handOffs.find((each) => each.id === mail.id);
      if (!one) throw problem("not_found");
      one.mailed = {
        from: mail.sender ?? find(world, mail.from).address,
        to: mail.to,
        at: Date.now(),
        unsure: false,
        click: mail.click,
      };
      return one;
    },
    save_hand_off: () => "/home/alex/Downloads/mailroom-request.txt",
    withdraw_hand_off: ({ id }: { id: number }) => {
      handOffs.splice(
        handOffs.findIndex((each) => each.id === id),
        1,
      );
      return null;
    },
  };
}
