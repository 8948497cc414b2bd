/** The Worker side of worker.ts. @module */
import { answerRequests } from "../../../platform/workers/worker.ts";
import { sanitizeMessageHtml } from "./sanitize.ts";

export interface SanitizeRequest {
  html: string;
  external: boolean;
  /** data: URLs by Content-ID. */
  inline: Map<string, string>;
  dark?: boolean;
  mailto?: string;
}

answerRequests(({ html, inline, ...o }: SanitizeRequest) =>
  sanitizeMessageHtml(html, { ...o, inline: (cid) => inline.get(cid) })
);
