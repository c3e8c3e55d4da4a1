// Names and explanations of protocols, links and secrets in the chosen language; what has no text of ours keeps its own word.
import type { Translate } from "../i18n/text";
import { type TextKey, zh } from "../i18n/zh";

const isKey = (key: string): key is TextKey => key in zh;

/** The text of a key that is made from a server's word, or the word itself. */
export const wordOf = (t: Translate, prefix: string, word: string): string => {
  const key = `${prefix}.${word}`;
  return isKey(key) ? t(key) : word;
};

export const protocolName = (t: Translate, protocol: string): string => wordOf(t, "protocol", protocol);

/** What an address of the protocol is, in a person's words; "" where there is nothing to say. */
export const addressHelp = (t: Translate, protocol: string): string => {
  const key = `address.${protocol}`;
  return isKey(key) ? t(key) : "";
};

/** What a device calls a thing it says of itself, in a person's words where there are any. */
export const infoName = (t: Translate, name: string): string => {
  const key = `info.${name.toLowerCase()}`;
  return isKey(key) ? t(key) : name;
};

/** What to do with a secret that was just told; "" where there is nothing to say. */
export const secretHelp = (t: Translate, protocol: string, place: string | null): string => {
  const key = `secretHelp.${protocol}`;
  return isKey(key) ? t(key, { place: place ?? "" }).trim() : "";
};

/** Why a name is in quarantine: its first words in the chosen language, what follows a colon as it was told. */
export function reasonText(t: Translate, reason: string): string {
  const [first = "", ...rest] = reason.split(":");
  const words = wordOf(t, "reason", first.trim().replaceAll(" ", "_"));
  return [words.replaceAll("_", " "), ...rest].join(":");
}
