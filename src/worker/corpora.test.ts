import { describe, expect, it } from "vitest";
import { StreamedCorpus } from "../formats/streamCorpus.ts";
import { bytesSource } from "../model/gguf/byteSource.ts";
import { CorpusCounts } from "./corpora.ts";

async function counted(text: string): Promise<ReturnType<CorpusCounts["finish"]>> {
  const corpus = await StreamedCorpus.open(bytesSource(new TextEncoder().encode(text), "c.txt"), {
    offsets: "code-points",
  });
  const counts = new CorpusCounts("c.txt");
  for await (const record of corpus.records()) counts.add(record.document, record);
  return counts.finish();
}

describe("what is in a corpus", () => {
  it("is its sentences, and entities by type in the order of their first mention", async () => {
    expect(await counted("Lima\tB-place\n\nAnn\tB-person\nin\tO\nEly\tB-place\n\nRain\tO\n")).toEqual({
      sentences: 3,
      types: [
        { name: "place", entities: 2 },
        { name: "person", entities: 1 },
      ],
    });
  });

  it("is refused where the file may have been cut in a type that nothing else has", async () => {
    await expect(counted("Ann\tB-person\n\nBo\tB-pers")).rejects.toThrow(
      /expected c.txt to end with a whole sentence, got one that ends in the type "pers".*line 3/,
    );
    expect((await counted("Ann\tB-person\n\nBo\tB-person")).sentences).toBe(2);
  });

  it("is refused where nothing is labelled", async () => {
    await expect(counted("Rain\tO\n\nWind\tO\n")).rejects.toThrow(
      "expected labelled sentences in c.txt, got no entity in 2 of them (label some)",
    );
  });
});
