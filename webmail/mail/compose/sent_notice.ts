/** The notice that a message was sent, or waits; and cancelling it. @module */
import { call } from "../../api/client.ts";
import type { CallResponse, SendOptions } from "../../api/mod.ts";
import { plannedDate } from "../../lib/format.ts";
import { alertUser, attempt, notice } from "../../lib/notify.ts";
import { t } from "../../lib/text.ts";

/** `onEdit` opens the draft that it is again. */
export function tellSent(
  response: CallResponse<"Send">,
  { sendAt }: SendOptions,
  onEdit: (draftId: number) => void,
): void {
  for (const w of response.warnings) alertUser(w);
  if (response.waiting === null) return void notice(t("Message sent."));
  const { id, at } = response.waiting;
  const callOff = () =>
    attempt(async () => {
      const { draftId } = await call("SendCancel", { id });
      onEdit(draftId);
    });
  if (sendAt !== null) {
    notice(t("Message will be sent {0}.", plannedDate(at)), { text: t("Call off"), run: callOff });
    return;
  }
  const seconds = Math.max(1, Math.round((at - Date.now()) / 1000));
  notice(t("Sending in {0} seconds.", seconds), { text: t("Don't send"), run: callOff, seconds });
}
