// Reading a file that the command line names: the system's errors say which one it was.
import { readFileSync } from "node:fs";
import { decodeUtf8 } from "../formats/formats.ts";
import { withPath } from "./errors.ts";

/** @throws the system's error, with the path */
export function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw withPath(error, path); // reading a folder reports none
  }
}

/** Text without its byte-order mark. @throws the system's error, or FormatError where the bytes are not UTF-8 */
export function readText(path: string): string {
  return decodeUtf8(readBytes(path));
}

/** Names the file whose content went wrong; system errors name it themselves. */
export function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Error) || "syscall" in error) {
      throw error;
    }
    throw new Error(`expected to read ${path}, got: ${error.message}`, { cause: error });
  }
}
