// Suggests entities for documents that are being labelled, one document after the other.

import { Predictor } from "../predict/predict.ts";
import { saveSuggestions } from "../storage/suggestionStore.ts";
import type { PredictInput } from "./predictions.ts";
import type { StudioEvent } from "./protocol.ts";
import { throttle } from "./throttle.ts";

/**
 * Each document's suggestions are saved and shown as soon as they are there. Asked a document at a time, where predictAll
 * asks for all: the annotator waits for the first one, not for the last, and a stop loses one at most.
 * @throws AbortError when stopped: suggestions made before are kept
 */
export async function suggestAndSave(input: PredictInput, emit: (event: StudioEvent) => void): Promise<void> {
  const { llama, lora, adapter, model, documents, types, signal } = input;
  const onProgress = throttle((done: number, total: number) =>
    emit({ kind: "progress", done, total, unit: "prompts" }),
  );
  const total = documents.length * types.length;
  const leftOut: string[] = [];
  onProgress(0, total);
  const predictor = new Predictor(llama, lora);
  try {
    for (const [index, document] of documents.entries()) {
      const { id, text } = document;
      const options = {
        mode: "span",
        signal,
        onProgress: (done: number) => onProgress(index * types.length + done, total),
      } as const;
      for await (const prediction of predictor.predict(model.tokenizer, [document], types, options)) {
        leftOut.push(...prediction.leftOut.map(({ type, tokens }) => `${id} / ${type} (${tokens} tokens)`));
        const answered = types.filter(({ name }) => !prediction.leftOut.some(({ type }) => type === name));
        const record = {
          ...{ documentId: id, text, model: model.facts.fingerprint, adapter },
          ...{ types: answered.map(({ name }) => name), entities: prediction.entities },
        };
        await saveSuggestions(record);
        emit({ kind: "suggestions", record });
      }
    }
  } finally {
    predictor.destroy();
  }
  if (leftOut.length > 0) {
    emit({ kind: "warning", message: `No suggestions, over the model's context: ${leftOut.join(", ")}` });
  }
}
