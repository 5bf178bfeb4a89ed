// Runs the command as a user does, in a folder of its own, for tests.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("../../bin/obp.mjs", import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The one object of --json. */
  json(): Record<string, unknown>;
}

/** A folder with files, and the command run inside it; removed at the end of the `using` block. */
export class CommandFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "obp-test-"));

  constructor(files: Readonly<Record<string, string>> = {}) {
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(this.path, name), content);
    }
  }

  obp(...words: readonly string[]): Outcome {
    const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...words], {
      cwd: this.path,
      encoding: "utf8",
    });
    return { code: status, stdout, stderr, json: () => JSON.parse(stdout) as Record<string, unknown> };
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
