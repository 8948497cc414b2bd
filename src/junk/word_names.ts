/** Readable names of the filter's words. @module */

const texts: Record<string, string> = {
  money: "sums of money",
  tollfree: "a toll-free telephone number",
  percent: "a percent sign",
  quote: "quoted text",
  signature: "a signature",
  mixedscript: "words of mixed alphabets",
};

const hosts: Record<string, string> = {
  sender: "a Message-ID of the sender's domain",
  route: "a Message-ID of a server on its way",
  other: "a Message-ID of neither sender nor way",
  senderroute: "the sender's domain on its way",
  senderelsewhere: "no server of the sender's domain on its way",
};

const named: Record<string, (rest: string) => string> = {
  subject: (w) => `"${w}" in the subject`,
  from: (w) => `"${w}" in the sender`,
  to: (w) => `"${w}" in To`,
  cc: (w) => `"${w}" in Cc`,
  bcc: (w) => `"${w}" in Bcc`,
  "reply-to": (w) => `"${w}" in Reply-To`,
  url: (w) => w === "address" ? "a link to a bare IP address" : `a link to ${w}`,
  rcvd: (w) => `${w} on its way`,
  ip: (w) => `the network ${w}`,
  hops: (w) => `${w} servers on its way`,
  sender: (w) =>
    w.startsWith("@") ? `the sender's domain ${w.slice(1)}` : "the form of the sender's address",
  id: () => "the form of its Message-ID",
  idhost: (w) => {
    if (!w.startsWith("~")) return w === "none" ? "no Message-ID" : `a Message-ID of ${w}`;
    return hosts[w.slice(1)] ?? "the host in its Message-ID";
  },
  mailer: (w) =>
    w.startsWith("~") ? "the form of its program's name" : `the program that wrote it (${w})`,
  mime: (w) => `the form of ${w.slice(0, w.indexOf(":"))}`,
  date: () => "the form of its date",
  zone: (w) => `the time zone ${w}`,
  shape: (w) => `"${w}", with 0 for any number`,
  file: (w) => `an attachment .${w}`,
  part: () => "HTML without plain text",
  text: (w) => texts[w] ?? (w.startsWith("capitals") ? "words in capitals" : "exclamation marks"),
};

/** The meaning of a word of the filter, such as `"offer" in the subject` for "subject:offer". */
export function wordName(word: string): string {
  const colon = word.indexOf(":");
  const name = colon > 0 && Object.hasOwn(named, word.slice(0, colon))
    ? named[word.slice(0, colon)]
    : undefined;
  return name === undefined ? `"${word}"` : name(word.slice(colon + 1));
}
