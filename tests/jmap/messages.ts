/** Messages for tests. */

/** A plain message; its Message-ID is `<id@x>`. */
export function mail(
  m: {
    id?: string;
    subject?: string;
    references?: string;
    from?: string;
    to?: string;
    body?: string;
    more?: string;
  },
): string {
  return `From: ${m.from ?? "Al <al@x.example>"}\nTo: ${m.to ?? "ann@mox.example"}\n` +
    `Subject: ${m.subject ?? "Hello"}\nMessage-ID: <${m.id ?? crypto.randomUUID()}@x>\n` +
    `Date: Thu, 1 Jan 2026 10:00:00 +0100\n` +
    (m.references ? `References: ${m.references}\n` : "") + (m.more ?? "") +
    `\n${m.body ?? "Some text.\n"}`;
}
