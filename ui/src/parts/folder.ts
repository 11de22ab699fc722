// What a folder is called.
import { t } from "../i18n/i18n.svelte";

/** IMAP calls every inbox INBOX (RFC 9051 §5.1); people have a word of their own for it. */
export const folderName = (name: string): string =>
  name === "INBOX" ? t("folder.inbox") : name;
