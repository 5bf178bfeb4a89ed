import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import {
  blobSource,
  bytesSource,
  ByteSourceError,
  httpSource,
  syncHandleSource,
  type ByteSource,
} from "./byteSource.ts";
import { goldenBytes, tinyGolden } from "./goldenFiles.ts";
import { openGguf } from "./gguf.ts";

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

/** As OPFS's handles read: from a place, as many bytes as there are. */
const syncHandle = (file: Uint8Array) => ({
  getSize: () => file.byteLength,
  read(buffer: Uint8Array, { at }: { at: number }) {
    const part = file.subarray(at, at + buffer.byteLength);
    buffer.set(part);
    return part.byteLength;
  },
});

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  const { port } = started.address() as AddressInfo;
  return `http://127.0.0.1:${port}/folder/my%20model.gguf?download=true`;
}

function rangeOf(header: string | undefined): [from: number, end: number] {
  const [, from, last] = /^bytes=(\d+)-(\d+)$/.exec(header ?? "") ?? [];
  return [Number(from), Number(last) + 1];
}

/** A server as it should be. */
const ranges =
  (file: Uint8Array, headers: Record<string, string> = {}): RequestListener =>
  (request, response) => {
    const [from, end] = rangeOf(request.headers.range);
    response.writeHead(206, { "content-range": `bytes ${from}-${end - 1}/${file.byteLength}`, ...headers });
    response.end(file.subarray(from, end));
  };

/** Answers the first request, for the size, as it should be, the others by `then`. */
function afterSize(then: RequestListener): RequestListener {
  let requests = 0;
  return (request, response) => (requests++ === 0 ? ranges(bytes) : then)(request, response);
}

describe.each<[string, () => Promise<ByteSource>]>([
  ["bytesSource", () => Promise.resolve(bytesSource(bytes, "my model.gguf"))],
  ["blobSource", () => Promise.resolve(blobSource(new Blob([bytes]), "my model.gguf"))],
  ["syncHandleSource", () => Promise.resolve(syncHandleSource(syncHandle(bytes), "my model.gguf"))],
  ["httpSource", async () => httpSource(await serve(ranges(bytes)))],
])("%s", (_, make) => {
  it("reads any range", async () => {
    const source = await make();
    expect([source.name, source.size]).toEqual(["my model.gguf", 1000]);
    for (const [offset, length] of [
      [0, 1000],
      [0, 1],
      [999, 1],
      [17, 300],
      [1000, 0],
    ] as const) {
      expect(await source.read(offset, length)).toEqual(bytes.slice(offset, offset + length));
    }
  });

  it.each([
    [999, 2],
    [1001, 0],
    [-1, 1],
    [0.5, 1],
    [0, -1],
    [0, NaN],
  ])("refuses offset %s, length %s", async (offset, length) => {
    const source = await make();
    const read = source.read(offset, length);
    await expect(read).rejects.toThrow(/^expected bytes .* of my model\.gguf, got a file of 1000 bytes$/);
    await expect(read).rejects.toBeInstanceOf(ByteSourceError);
  });

  it("hands out bytes of its own", async () => {
    const source = await make();
    (await source.read(0, 10)).fill(99);
    expect(await source.read(0, 3)).toEqual(Uint8Array.of(0, 1, 2));
  });
});

it("blobSource says so where the file can no longer be read", async () => {
  class Vanished extends Blob {
    override slice(): Blob {
      return this;
    }
    override arrayBuffer(): Promise<ArrayBuffer> {
      return Promise.reject(new DOMException("The file could not be found.", "NotFoundError"));
    }
  }
  const source = blobSource(new Vanished([bytes]), "gone.gguf");
  await expect(source.read(0, 10)).rejects.toThrow(
    /^expected to read 10 bytes of gone\.gguf, got: The file could not be found\. \(was the file moved/,
  );
});

it("syncHandleSource says so where the file is now shorter", async () => {
  const handle = { ...syncHandle(bytes.subarray(0, 500)), getSize: () => 1000 };
  await expect(syncHandleSource(handle, "a").read(400, 200)).rejects.toThrow(/expected 200 bytes from a, got 100/);
});

describe("httpSource", () => {
  it("opens a model by ranges", async () => {
    const source = await httpSource(await serve(ranges(goldenBytes("tiny.gguf"))));
    expect((await openGguf(source)).tensors.size).toBe(Object.keys(tinyGolden().tensors).length);
  });

  it("follows redirects, each time anew", async () => {
    let redirects = 0;
    const url = await serve((request, response) => {
      if (request.url?.startsWith("/cdn/") === true) ranges(bytes)(request, response);
      else response.writeHead(302, { location: `/cdn/${redirects++}` }).end();
    });
    const source = await httpSource(url);
    expect(await source.read(500, 3)).toEqual(bytes.slice(500, 503));
    expect(source.name).toBe("my model.gguf");
    expect(redirects).toBe(2);
  });

  it.each<[string, RequestListener, RegExp]>([
    [
      "a server without Range",
      (_, response) => response.writeHead(200).end(bytes),
      /^expected 127\.0\.0\.1:\d+ to answer a Range request for my model\.gguf, got the whole file \(download it/,
    ],
    [
      "404",
      (_, response) => response.writeHead(404).end("no"),
      /^expected my model\.gguf from .*, got HTTP 404 Not Found \(check the address\)$/,
    ],
    ["403", (_, response) => response.writeHead(403).end(), /got HTTP 403 Forbidden \(it may be gated/],
    ["401", (_, response) => response.writeHead(401).end(), /got HTTP 401 Unauthorized \(it needs you to sign in/],
    ["503", (_, response) => response.writeHead(503).end(), /got HTTP 503 .* \(the server is in trouble/],
    ["an empty file", (_, response) => response.writeHead(416, { "content-range": "bytes */0" }).end(), /got HTTP 416/],
    ["206 without Content-Range", (_, response) => response.writeHead(206).end("x"), /got no Content-Range/],
    [
      "another range",
      (_, response) => response.writeHead(206, { "content-range": "bytes 5-5/1000" }).end("x"),
      /^expected bytes 0-0 of my model\.gguf from .*, got bytes 5-5\/1000/,
    ],
    [
      "no answer",
      (request) => request.destroy(),
      /^expected an answer from 127\.0\.0\.1:\d+ for my model\.gguf, got: .*\(are you online\?\)$/,
    ],
    [
      "redirects without end",
      (_, response) => response.writeHead(302, { location: "/again" }).end(),
      /got: redirect count exceeded/,
    ],
  ])("refuses to open: %s", async (_, listener, message) => {
    const opened = httpSource(await serve(listener));
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toBeInstanceOf(ByteSourceError);
  });

  const rangeHeader = { "content-range": "bytes 100-199/1000" };

  it.each<[string, RequestListener, RegExp]>([
    [
      "too few bytes",
      (_, response) => response.writeHead(206, rangeHeader).end(bytes.subarray(0, 60)),
      /^expected 100 bytes of my model\.gguf, got 60 \(the connection was cut: try again\)$/,
    ],
    [
      "too many bytes",
      (_, response) => response.writeHead(206, rangeHeader).end(bytes.subarray(0, 101)),
      /^expected 100 bytes of my model\.gguf, got more/,
    ],
    [
      "a cut connection",
      (_, response) => {
        response.writeHead(206, { ...rangeHeader, "content-length": "100" });
        response.write(bytes.subarray(0, 60), () => response.destroy());
      },
      /^expected 100 bytes of my model\.gguf, got 60 and then: .* \(the connection was cut: try again\)$/,
    ],
    ["the whole file", (_, response) => response.writeHead(200).end(bytes), /to answer a Range request/],
    [
      "another size",
      (_, response) => response.writeHead(206, { "content-range": "bytes 100-199/1001" }).end(bytes.subarray(0, 100)),
      /^expected my model\.gguf to stay the same on 127\.0\.0\.1:\d+, got another version \(open it again\)$/,
    ],
    ["an error", (_, response) => response.writeHead(500).end(), /got HTTP 500/],
  ])("refuses to read: %s", async (_, then, message) => {
    const source = await httpSource(await serve(afterSize(then)));
    const read = source.read(100, 100);
    await expect(read).rejects.toThrow(message);
    await expect(read).rejects.toBeInstanceOf(ByteSourceError);
  });

  it("refuses another version of the file by its ETag", async () => {
    let requests = 0;
    const source = await httpSource(
      await serve((request, response) => ranges(bytes, { etag: `"${requests++}"` })(request, response)),
    );
    await expect(source.read(0, 1)).rejects.toThrow(/to stay the same/);
  });

  it("ends with the signal's reason where it aborts", async () => {
    const abort = new AbortController();
    const url = await serve(
      afterSize((_, response) => {
        response.writeHead(206, rangeHeader);
        response.write(bytes.subarray(0, 10), () => abort.abort(new Error("stopped")));
      }),
    );
    const source = await httpSource(url, { signal: abort.signal });
    await expect(source.read(100, 100)).rejects.toThrow("stopped");
    await expect(httpSource(url, { signal: abort.signal })).rejects.toThrow("stopped");
  });

  it("uses the fetch it is given", async () => {
    const asked: string[] = [];
    const source = await httpSource("https://example.org/a.gguf", {
      fetch: (_, init) => {
        const [from, end] = rangeOf(new Headers(init?.headers).get("range") ?? "");
        asked.push(`${from}-${end}`);
        const headers = { "content-range": `bytes ${from}-${end - 1}/1000` };
        return Promise.resolve(new Response(bytes.slice(from, end), { status: 206, headers }));
      },
    });
    expect(await source.read(10, 5)).toEqual(bytes.slice(10, 15));
    expect(asked).toEqual(["0-1", "10-15"]);
  });
});
