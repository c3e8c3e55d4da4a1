// Files sent as they are, and files fetched to be saved: a refusal comes as an error, and never as a broken download.
import { detailOf, RequestError } from "../api/client";

/** Post a file; raises RequestError with the server's own sentence where it refuses it. */
export async function sendFile<T>(path: string, file: File, query: Readonly<Record<string, string>>): Promise<T> {
  const asked = new URLSearchParams({ ...query, name: file.name });
  let response: Response;
  try {
    response = await fetch(`${path}?${asked}`, {
      method: "POST",
      credentials: "same-origin",
      redirect: "error",
      headers: { "Content-Type": "application/octet-stream", "X-Skybeat": "1" },
      body: file,
    });
  } catch (error) {
    if (error instanceof TypeError) throw new RequestError(0, "error.network");
    throw error;
  }
  if (response.ok) return (await response.json()) as T;
  throw new RequestError(response.status, "error.status", { status: response.status }, await detailOf(response));
}

const FORGET_MS = 60_000;

/** Fetch a file and let the browser save it; raises RequestError with the server's own sentence where there is none. */
export async function saveFile(path: string): Promise<void> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", redirect: "error" });
  } catch (error) {
    if (error instanceof TypeError) throw new RequestError(0, "error.network");
    throw error;
  }
  if (!response.ok)
    throw new RequestError(response.status, "error.status", { status: response.status }, await detailOf(response));
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = /filename="?([^";]+)/.exec(response.headers.get("content-disposition") ?? "")?.[1] ?? "";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), FORGET_MS);
}
