/** Settings of the webmail, kept with the account. @module */
import * as v from "valibot";
import { defaultSettings, SenderView, Settings } from "../../../webmail/api/mod.ts";
import type { Account } from "../../store/account/account.ts";
import { accountSetting, changeAccountSetting } from "../../store/account/settings.ts";

/** Senders whose view is remembered; the ones set first are forgotten first. */
const maxSenders = 1000;

const Kept = v.object({
  settings: v.optional(v.record(v.string(), v.unknown()), {}),
  senders: v.optional(v.record(v.string(), SenderView), {}),
});

function kept(value: unknown): v.InferOutput<typeof Kept> {
  const r = v.safeParse(Kept, value ?? {});
  return r.success ? r.output : { settings: {}, senders: {} };
}

/** Those set, and defaults for what is not, or is of another version and doesn't fit any more. */
export function webmailSettings(account: Account): Settings {
  const { settings } = kept(accountSetting(account, "webmail"));
  const result: Record<string, unknown> = { ...defaultSettings };
  for (const [name, schema] of Object.entries(Settings.entries)) {
    const r = v.safeParse(schema, settings[name]);
    if (r.success) result[name] = r.output;
  }
  return v.parse(Settings, result);
}

export function saveWebmailSettings(account: Account, settings: Settings): Promise<void> {
  return changeAccountSetting(account, "webmail", (before) => ({ ...kept(before), settings }));
}

const senderKey = (address: string) => address.toLowerCase();

/** How a sender's messages are shown, if that was remembered. */
export function senderView(account: Account, address: string): SenderView | undefined {
  const { senders } = kept(accountSetting(account, "webmail"));
  return Object.hasOwn(senders, senderKey(address)) ? senders[senderKey(address)] : undefined;
}

export function saveSenderView(
  account: Account,
  address: string,
  view: SenderView | null,
): Promise<void> {
  return changeAccountSetting(account, "webmail", (before) => {
    const k = kept(before);
    const senders = Object.entries(k.senders).filter(([a]) => a !== senderKey(address));
    if (view !== null) senders.push([senderKey(address), view]);
    return { ...k, senders: Object.fromEntries(senders.slice(-maxSenders)) };
  });
}
