/** The Worker side of large_json.ts. @module */
import { answerRequests } from "../../platform/workers/worker.ts";
import { JsonError, parseJson } from "./json.ts";

/** The value, or why there is none. */
export type ParsedJson = { value: unknown } | { reason: string };

answerRequests((bytes: Uint8Array): Promise<ParsedJson> => {
  try {
    return Promise.resolve({ value: parseJson(bytes) });
  } catch (err) {
    if (!(err instanceof JsonError)) throw err;
    return Promise.resolve({ reason: err.message });
  }
});
