/**
 * Forms, large ones in a Worker: taking apart 15 MB of files and making base64 of them held the event loop for hundreds
 * of milliseconds.
 *
 * @module
 */
import { renewedWorker } from "../../platform/workers/renewed_worker.ts";
import { HttpError } from "../http/mod.ts";
import { type FormContent, readFormContent } from "./form.ts";

/** A form's bytes, and its Content-Type. */
export interface FormRequest {
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Bytes of forms that are read without the Worker: some milliseconds. */
const smallForm = 256 * 1024;
/** Forms that may wait for the Worker. */
const maxWaiting = 20;

/** Bytes that a Worker reads before it is replaced; it keeps several times as much until then. */
const mostRead = 8 * 1024 * 1024;

const worker = renewedWorker<FormRequest, FormContent>({
  name: "form",
  start: () => new Worker(new URL("./form_worker.ts", import.meta.url), { type: "module" }),
  mostBytes: mostRead,
  idleTimeout: 10_000,
  answerTimeout: 30_000,
});

/** The contents of a form, whose bytes may be gone afterwards. @throws HttpError 503 if too many large ones wait */
export async function formContent(type: string, bytes: Uint8Array): Promise<FormContent> {
  if (bytes.length <= smallForm) return await readFormContent(type, bytes.slice());
  if (worker.waiting() >= maxWaiting) {
    throw new HttpError(503, "too many large requests at a time", { "Retry-After": "10" });
  }
  return await worker.ask({ type, bytes: bytes as Uint8Array<ArrayBuffer> }, bytes);
}
