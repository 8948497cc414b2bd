/** The Worker side of worker.ts. @module */
import { type Sanitized, sanitizeMessageHtml } from "./sanitize.ts";

export interface SanitizeRequest {
  id: number;
  html: string;
  external: boolean;
  /** data: URLs by Content-ID. */
  inline: Map<string, string>;
}
export interface SanitizeReply {
  id: number;
  result?: Sanitized;
  error?: string;
}

const scope = self as unknown as {
  onmessage: (e: MessageEvent<SanitizeRequest>) => void;
  postMessage(m: SanitizeReply): void;
};

scope.onmessage = (e) => {
  const { id, html, external, inline } = e.data;
  try {
    const result = sanitizeMessageHtml(html, { external, inline: (cid) => inline.get(cid) });
    scope.postMessage({ id, result });
  } catch (err) {
    scope.postMessage({ id, error: err instanceof Error ? err.message : String(err) });
  }
};
