/** Uploads a file to the server, showing progress. @module */
import * as v from "valibot";
import { ErrorAnswer } from "./basics.ts";

export interface UploadOptions<S extends v.GenericSchema> {
  url: string;
  file: File;
  /** Schema of the server's answer. */
  answer: S;
  /** Shows the progress. */
  bar: HTMLProgressElement;
  onDone: (answer: v.InferOutput<S>) => void;
  /** `why` completes a sentence. `unanswered`: trying again may work. */
  onFailed: (why: string, unanswered: boolean) => void;
  onCancelled?: () => void;
}

/** Starts sending; the returned function cancels it. */
export function uploadFile<S extends v.GenericSchema>(options: UploadOptions<S>): () => void {
  // XMLHttpRequest reports upload progress; fetch doesn't.
  const request = new XMLHttpRequest();
  request.upload.onprogress = (e) => {
    options.bar.value = e.total > 0 ? e.loaded / e.total : 0;
  };
  request.onload = () => {
    let body: unknown;
    try {
      body = JSON.parse(request.responseText);
    } catch {
      return options.onFailed("the server's answer makes no sense", false);
    }
    const answer = v.safeParse(options.answer, body);
    if (request.status === 200 && answer.success) return options.onDone(answer.output);
    const refused = v.safeParse(ErrorAnswer, body);
    options.onFailed(
      refused.success ? refused.output.error.message : `status ${request.status}`,
      request.status === 401 || request.status === 503,
    );
  };
  request.onerror = () => options.onFailed("the connection broke", true);
  if (options.onCancelled !== undefined) request.onabort = options.onCancelled;
  request.open("POST", options.url);
  request.setRequestHeader("x-mox-request", "1");
  request.send(options.file);
  return () => request.abort();
}
