/** Uploading a file (RFC 8620 §6.1). @module */
import { HttpError, jsonResponse, type WebRequest } from "../../web/http/mod.ts";
import { UploadLimitError } from "../blobs/uploads.ts";
import { accountIdOf, accountNames } from "../core/access.ts";
import { RequestError } from "../core/errors.ts";
import type { User } from "../core/method.ts";
import type { JmapServices } from "../services.ts";
import { problemResponse } from "./api.ts";
import { mediaType } from "./media_type.ts";

/** The name of the account with an id, if accessible to the user. @throws HttpError 404 */
export function accountNamed(services: JmapServices, user: User, id: string): string {
  const name = accountNames(services, user).find((n) => accountIdOf(n) === id);
  if (name === undefined) throw new HttpError(404, "there is no such account");
  return name;
}

/** Stores an uploaded file. */
export async function answerUpload(
  services: JmapServices,
  user: User,
  req: WebRequest,
  accountId: string,
): Promise<Response> {
  const account = accountNamed(services, user, accountId);
  try {
    const upload = await services.uploads.add(
      account,
      user.account,
      req.stream(services.maxMessageSize),
    );
    return jsonResponse(201, {
      accountId,
      blobId: upload.id,
      type: mediaType(req.headers.get("content-type")),
      size: upload.size,
    });
  } catch (cause) {
    if (cause instanceof HttpError && cause.status === 413) {
      return problemResponse(
        new RequestError("limit", `a file can have ${services.maxMessageSize} bytes`, {
          status: 413,
          limit: "maxSizeUpload",
          cause,
        }),
      );
    }
    if (cause instanceof UploadLimitError) {
      throw new HttpError(429, cause.message, { "Retry-After": "3600" }, { cause });
    }
    throw cause;
  }
}
