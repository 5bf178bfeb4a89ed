// What was measured of kernels on this adapter (src/model/tuningRecord.ts). One record: another adapter's takes its place.

import { studioDatabase } from "./database.ts";
import { storageFailure } from "./storageError.ts";

const KEY = "record";

/** As it lies there: whoever reads it checks it. */
export async function readKernelRecord(): Promise<unknown> {
  return (await studioDatabase()).get("kernels", KEY);
}

export async function saveKernelRecord(record: object): Promise<void> {
  try {
    await (await studioDatabase()).put("kernels", record, KEY);
  } catch (error) {
    throw storageFailure(error, "what was measured of kernels");
  }
}
