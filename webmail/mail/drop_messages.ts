/** Messages as files: dropped on the page they go into a mailbox, dragged out of it they are saved. @module */
import { call } from "../api/client.ts";
import { type MessageItem, rawUrl, Upload, uploadUrl } from "../api/mod.ts";
import * as v from "valibot";
import { countText } from "../lib/format.ts";
import { attempt, notice } from "../lib/notify.ts";
import { t } from "../lib/text.ts";

/** Lets files be dropped on an element. `mailbox`: where they go; undefined where they can't. */
export function takeDroppedMessages(place: HTMLElement, mailbox: () => number | undefined): void {
  const files = (e: DragEvent) => e.dataTransfer?.types.includes("Files") === true;
  place.addEventListener("dragover", (e) => {
    if (!files(e) || mailbox() === undefined) return;
    e.preventDefault();
    place.classList.add("drop");
  });
  place.addEventListener("dragleave", () => place.classList.remove("drop"));
  place.addEventListener("drop", (e) => {
    place.classList.remove("drop");
    const to = mailbox();
    if (!files(e) || to === undefined) return;
    e.preventDefault();
    void attempt(() => take([...e.dataTransfer!.files], to));
  });
}

async function take(files: readonly File[], mailboxId: number): Promise<void> {
  let count = 0;
  for (const file of files) {
    const r = await fetch(uploadUrl(file.name, "message/rfc822"), {
      method: "POST",
      body: file,
      headers: { "x-mox-request": "1" },
    });
    const body: unknown = await r.json();
    const answer = v.safeParse(Upload, body);
    if (!answer.success) throw new Error(t("{0} could not be uploaded.", file.name));
    await call("MessageImport", { uploadId: answer.output.uploadId, mailboxId });
    count++;
  }
  notice(t("{0} put here.", countText(count, "message")));
}

/** Lets a message be dragged to the desktop, where the browser can do that. */
export function offerFile(data: DataTransfer, item: MessageItem): void {
  const name = (item.subject.replace(/[\\/:*?"<>|\s]+/g, " ").trim() || "message").slice(0, 80);
  const url = new URL(rawUrl(item.id, { download: true }), location.href);
  data.setData("DownloadURL", `message/rfc822:${name}.eml:${url.href}`);
}
