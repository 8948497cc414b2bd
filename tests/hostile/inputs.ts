/** All inputs of the bench. */
import { beforeLogin } from "./before_login.ts";
import type { Input } from "./peer.ts";

export const inputs: Input[] = [...beforeLogin];
