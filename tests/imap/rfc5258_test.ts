/** LIST-EXTENDED (RFC 5258), as transcripts. */
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§5 selection and return options, subscribed names that are gone, several patterns", () =>
  withClient(async (c) => {
    for (const n of ["Fruit/Apple", "Fruit/Banana", "Tofu", "Vegetable/Broccoli"]) {
      await c.ok(`CREATE ${n}`);
    }
    for (const n of ["Fruit", "Fruit/Apple", "Tofu", "Vegetable/Broccoli", "Archive", "Drafts"]) {
      await c.ok(`UNSUBSCRIBE ${n}`);
    }
    await c.ok("SUBSCRIBE Fruit/Peach");
    await talk(
      c,
      `
      C: LIST "" ("Fruit*" "Tofu" "V%")
      S: * LIST (\\HasChildren) "/" Fruit
      S: * LIST (\\HasNoChildren) "/" Fruit/Apple
      S: * LIST (\\HasNoChildren) "/" Fruit/Banana
      S: * LIST (\\HasNoChildren) "/" Tofu
      S: * LIST (\\HasChildren) "/" Vegetable
      S: OK done
      C: LIST (SUBSCRIBED) "" "Fruit*"
      S: * LIST (\\Subscribed \\HasNoChildren) "/" Fruit/Banana
      S: * LIST (\\NonExistent \\Subscribed) "/" Fruit/Peach
      S: OK done
      C: LIST () "" "Fruit/%" RETURN (SUBSCRIBED CHILDREN)
      S: * LIST (\\HasNoChildren) "/" Fruit/Apple
      S: * LIST (\\Subscribed \\HasNoChildren) "/" Fruit/Banana
      S: OK done
      C: LIST (REMOTE SUBSCRIBED) "" "Fruit/B*" RETURN (CHILDREN)
      S: * LIST (\\Subscribed \\HasNoChildren) "/" Fruit/Banana
      S: OK done
      C: LIST (RECURSIVEMATCH SUBSCRIBED) "" "%"
      S: * LIST (\\Subscribed \\HasNoChildren) "/" INBOX
      S: * LIST (\\HasChildren) "/" Fruit ("CHILDINFO" ("SUBSCRIBED"))
      S: * LIST (\\Subscribed \\HasNoChildren \\Junk) "/" Junk
      S: * LIST (\\Subscribed \\HasNoChildren \\Sent) "/" Sent
      S: * LIST (\\Subscribed \\HasNoChildren \\Trash) "/" Trash
      S: * LIST (\\Subscribed \\HasChildren) "/" Vegetable
      S: OK done
      C: LIST (SUBSCRIBED) "" "Fruit/Peach"
      S: * LIST (\\NonExistent \\Subscribed) "/" Fruit/Peach
      S: OK done
      C: LIST "Fruit/" (Apple "B%")
      S: * LIST (\\HasNoChildren) "/" Fruit/Apple
      S: * LIST (\\HasNoChildren) "/" Fruit/Banana
      S: OK done
      C: LIST () "" ""
      S: OK done
      C: LIST "" ""
      S: * LIST (\\Noselect) "/" ""
      S: OK done
      `,
    );
  }));

Deno.test("§3.5 RECURSIVEMATCH lists parents for children that only have the use that is asked for", () =>
  withClient(async (c) => {
    await c.ok("DELETE Sent");
    await c.ok("CREATE Mail/Out (USE (\\Sent))");
    await talk(
      c,
      `
      C: LIST (SPECIAL-USE RECURSIVEMATCH) "" "M%"
      S: * LIST (\\HasChildren) "/" Mail ("CHILDINFO" ("SPECIAL-USE"))
      S: OK done
      C: LIST (SPECIAL-USE) "" "M*"
      S: * LIST (\\HasNoChildren \\Sent) "/" Mail/Out
      S: OK done
      `,
    );
  }));

Deno.test("§3 wrong options and combinations are BAD", () =>
  withClient((c) =>
    talk(
      c,
      `
      C: LIST (RECURSIVEMATCH) "" "*"
      S: BAD …expected RECURSIVEMATCH together with another selection option
      C: LIST (RECURSIVEMATCH REMOTE) "" "*"
      S: BAD …
      C: LIST (NOSUCH) "" "*"
      S: BAD …expected list selection option
      C: LIST "" "*" RETURN (NOSUCH)
      S: BAD …expected list return option
      C: LIST "" "*" RETURN
      S: BAD …
      C: LIST "" ()
      S: BAD …expected mailbox pattern
      C: LIST (SUBSCRIBED SPECIAL-USE) "" "Sent" RETURN (CHILDREN SPECIAL-USE SUBSCRIBED)
      S: * LIST (\\Subscribed \\HasNoChildren \\Sent) "/" Sent
      S: OK done
      `,
    )
  ));
