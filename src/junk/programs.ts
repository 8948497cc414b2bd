/**
 * Signs of the program that wrote a message: its stated name, the host in its Message-ID, how it spells MIME
 * fields. Bulk mail is written by few programs, which often claim another's name.
 *
 * @module
 */

/** Most UTF-16 units of a value that are used. */
const maxValue = 200;
/** Most words of a program's name. */
const maxNameWords = 6;

const programFields = new Set(["x-mailer", "user-agent", "x-mimeole"]);
const mimeFields = new Set(["content-type", "mime-version", "content-transfer-encoding"]);

const lastLabels = (host: string) => host.toLowerCase().split(".").slice(-2).join(".");

/** The host after the last "@", without names below the registered one; "" if there is none. */
function hostIn(value: string | undefined): string {
  return lastLabels(/@([\w.\-]{1,253})/.exec(value?.slice(-maxValue) ?? "")?.[1] ?? "");
}

/**
 * Signs of all fields of a header. Of repeated fields only the first counts.
 * @param headers names in any case, in order
 */
export function programSigns(headers: readonly (readonly [string, string])[]): string[] {
  const first = new Map<string, string>();
  let route = "";
  for (const [name, value] of headers) {
    const field = name.length <= 25 ? name.toLowerCase() : "";
    if (field === "received" && route.length < 16 * maxValue) {
      route += value.slice(0, 3 * maxValue).toLowerCase() + "\n";
    } else if (!first.has(field)) first.set(field, value);
  }
  const signs: string[] = [];
  for (const [field, value] of first) {
    if (programFields.has(field)) signs.push(...nameSigns(value.slice(0, maxValue)));
    else if (mimeFields.has(field)) signs.push(`mime:${field}: ${spelling(value)}`);
  }
  return [
    ...signs,
    ...hostSigns(hostIn(first.get("message-id")), hostIn(first.get("from")), route),
  ];
}

/** Words and form of a program's name, such as "mailer:outlook", "mailer:microsoft outlook express". */
function nameSigns(value: string): string[] {
  const words = value.toLowerCase().split(/[^a-z]+/).filter((w) => w.length > 1)
    .slice(0, maxNameWords);
  return [
    ...new Set([
      `mailer:${words.slice(0, 3).join(" ")}`,
      ...words.map((w) => `mailer:${w}`),
      `mailer:~${
        value.replace(/[0-9]+/g, "0").replace(/[a-zA-Z\u0080-\uffff]+/g, "a").slice(0, 30)
      }`,
    ]),
  ];
}

/** A MIME field with its spaces and capitals, without quoted values and boundaries. */
function spelling(value: string): string {
  return value.slice(0, maxValue).replace(/"[^"]*"?/g, '"x"').replace(/boundary=\S+/i, "boundary")
    .replace(/\s+/g, " ").trim().slice(0, 60);
}

/** Whether Message-ID, sender and the hosts on the route match. */
function hostSigns(id: string, from: string, route: string): string[] {
  return [
    `idhost:${id === "" ? "none" : id}`,
    `idhost:~${id === from ? "sender" : id !== "" && route.includes(id) ? "route" : "other"}`,
    `idhost:~${from !== "" && route.includes(from) ? "senderroute" : "senderelsewhere"}`,
  ];
}
