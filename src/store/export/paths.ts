/** Paths for mailboxes that every system accepts as files and folders. @module */

/** Bytes of one level. */
const maxLevel = 150;

/** A level as a file name: characters that a system or a mail reader would misinterpret are replaced. */
function safeLevel(level: string): string {
  // deno-lint-ignore no-control-regex
  let name = level.replace(/[\u0000-\u001f\u007f-\u009f<>:"\\|?*]/g, "_").replace(
    /^\.|[. ]$/g,
    "_",
  );
  const encoder = new TextEncoder();
  while (encoder.encode(name).length > maxLevel) name = [...name].slice(0, -1).join("");
  const special =
    /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?$|^(?:cur|new|tmp|mbox|__MACOSX|dovecot.*|mox-export\.json)$|\.(?:mbox|mboxrd|mbx|sbd|imapmbox)$/i;
  return special.test(name) ? `${name}_` : name;
}

/** The path of each mailbox, with "/" between levels, unique even where case is ignored. */
export function exportPaths(names: readonly string[]): Map<string, string> {
  const paths = new Map<string, string>();
  const taken = new Set<string>();
  const pathOf = (name: string): string => {
    const known = paths.get(name);
    if (known !== undefined) return known;
    const slash = name.lastIndexOf("/");
    const above = slash < 0 ? "" : `${pathOf(name.slice(0, slash))}/`;
    const level = safeLevel(name.slice(slash + 1));
    let path = above + level;
    for (let n = 2; taken.has(path.toLowerCase()); n++) path = `${above}${level}~${n}`;
    taken.add(path.toLowerCase());
    paths.set(name, path);
    return path;
  };
  for (const n of names) pathOf(n);
  return paths;
}
