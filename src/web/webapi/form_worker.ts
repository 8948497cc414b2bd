/** The Worker side of large_form.ts. @module */
import { answerRequests } from "../../platform/workers/worker.ts";
import { type FormContent, readFormContent } from "./form.ts";
import type { FormRequest } from "./large_form.ts";

answerRequests(({ type, bytes }: FormRequest): Promise<FormContent> =>
  readFormContent(type, bytes)
);
