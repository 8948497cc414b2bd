/** Checks before a message is sent. @module */
import type { Composition } from "../../api/mod.ts";
import { confirmDialog } from "../../lib/dialog.ts";
import { alertUser } from "../../lib/notify.ts";
import { plausible } from "./address_text.ts";
import type { Uploads } from "./uploads.ts";
import { t } from "../../lib/text.ts";

const attachmentWords =
  /\b(attach(?:ed|ment|ments|ing)?|enclosed|angeh(?:ä|ae)ngt|anhang|bijlage|ci-joint|adjunto)\b/i;

/**
 * Whether a message can be sent. Reports anything missing, and asks about anything that seems forgotten.
 * `onNoRecipient`: called if there is no recipient.
 */
export async function readyToSend(
  composition: Composition,
  files: Uploads,
  onNoRecipient: () => void,
): Promise<boolean> {
  const refuse = (why: string) => {
    alertUser(why);
    return false;
  };
  const all = [...composition.to, ...composition.cc, ...composition.bcc];
  if (all.length === 0) {
    onNoRecipient();
    return refuse(t("Give at least one recipient."));
  }
  const wrong = all.filter((a) => !plausible(a));
  if (wrong.length > 0) return refuse(t("{0}: not an address.", wrong.join(", ")));
  if (files.busy()) return refuse(t("Attachments are still on their way."));
  const own = composition.text.split("\n").filter((l) => !l.startsWith(">")).join("\n");
  if (
    files.count() === 0 && composition.forwards.length === 0 &&
    attachmentWords.test(`${composition.subject}\n${own}`) &&
    !await confirmDialog(
      t("Send without attachment?"),
      t("The text speaks of an attachment, but there is none."),
      t("Send anyway"),
    )
  ) return false;
  return composition.subject.trim() !== "" ||
    await confirmDialog(t("Send without subject?"), t("The subject is empty."), t("Send anyway"));
}
