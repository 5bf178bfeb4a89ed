// What models suggested for documents that are being labelled, one record a document, so that it is there after a reload.

import { studioDatabase, type SuggestionRecord } from "./database.ts";
import { storageFailure } from "./storageError.ts";

export async function listSuggestions(): Promise<SuggestionRecord[]> {
  return (await studioDatabase()).getAll("suggestions");
}

export async function saveSuggestions(record: SuggestionRecord): Promise<void> {
  try {
    await (await studioDatabase()).put("suggestions", record);
  } catch (error) {
    throw storageFailure(error, "the suggestions");
  }
}
