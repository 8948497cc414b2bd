/** The Worker side of worker.ts. @module */
import { answerRequests } from "../../../platform/worker.ts";
import { sanitizeMessageHtml } from "./sanitize.ts";

export interface SanitizeRequest {
  html: string;
  external: boolean;
  /** data: URLs by Content-ID. */
  inline: Map<string, string>;
}

answerRequests(({ html, external, inline }: SanitizeRequest) =>
  sanitizeMessageHtml(html, { external, inline: (cid) => inline.get(cid) })
);
