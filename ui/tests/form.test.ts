import { expect, test } from "vitest";
import {
  blank,
  isAmount,
  isMany,
  mostMails,
  stepOf,
} from "../src/screens/connect/form";

test("takes as many mails as the core does, and says when that takes a while", () => {
  expect(mostMails).toBe(1_000_000);
  for (const [count, may, many] of [
    [null, false, false],
    [0, false, false],
    [300, true, false],
    [10_000, true, false],
    [10_001, true, true],
    [mostMails, true, true],
    [mostMails + 1, false, false],
    [1.5, false, false],
  ] as const)
    expect([isAmount(count), isMany(count)]).toEqual([may, many]);
});

test("a server that is none of Microsoft’s is mended where the servers are typed", () => {
  const error = {
    code: "not_exchange",
    message: "",
    args: { value: "outlook.office356.com", expected: "outlook.office365.com" },
    evidence: null,
  } as const;
  expect(stepOf(error, { ...blank(false), way: "imap" }, "registration")).toBe(
    "servers",
  );
});
